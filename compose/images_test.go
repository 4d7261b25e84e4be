package compose

import (
	"bytes"
	"galley/templates"
	"log/slog"
	"testing"

	"galley/compose/picture"
	"galley/send/store"
	"galley/send/store/storetest"
)

// A file is kept once, made fit once, and served by the digest of what readers
// get. What it told beyond the picture is gone from the books.
func TestImagesInTheBooks(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		d := &Desk{Newsletters: map[string]*Newsletter{"quiet": {Frame: Frame{Looks: templates.Look("")}}}, DB: db, Log: slog.New(slog.DiscardHandler)}
		a := attached(t, "quay.jpg", "", 2000, 1000)
		file := bytes.Clone(a.Picture.Data)
		var refs string
		err := db.Update(t.Context(), func(tx *store.Tx) (err error) {
			refs, err = d.keepImages(t.Context(), tx, "quiet", []Enclosed{
				{Name: "quay.jpg", File: true, Data: file}, {Name: "again.jpg", ContentID: "c1", Data: file}, {Name: "x.heic", File: true, Data: []byte("heic")}})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // as after a restart
			if err := d.fitImages(t.Context(), "quiet"); err != nil {
				t.Fatal(err)
			}
		}
		err = db.View(t.Context(), func(tx *store.Tx) error {
			var rows, sources int
			if err := tx.QueryRowContext(t.Context(), `SELECT count(*), count(source) FROM image`).Scan(&rows, &sources); err != nil || rows != 2 || sources != 0 {
				t.Errorf("%d rows, %d files, %v", rows, sources, err)
			}
			all, err := attachedTo(t.Context(), tx, "quiet", refs)
			if err != nil || len(all) != 3 {
				t.Fatalf("%d pictures, %v", len(all), err)
			}
			want, _ := picture.Fit(file)
			if p := all[0].Picture; p == nil || p.Digest != want.Digest || p.Width != 1400 || all[0].Size != len(file) || !all[0].File {
				t.Errorf("%+v", all[0])
			}
			if all[1].ContentID != "c1" || all[1].Picture.Digest != want.Digest || all[2].Fault == nil || all[2].Picture != nil {
				t.Errorf("%+v, %+v", all[1], all[2])
			}
			kind, data, found, err := d.Picture(t.Context(), tx, PictureFile(want))
			if err != nil || !found || kind != "image/jpeg" || !bytes.Equal(data, want.Data) {
				t.Errorf("served: %s, %d octets, %v, %v", kind, len(data), found, err)
			}
			for _, name := range []string{"", want.Digest, want.Digest[:32], want.Digest[:32] + ".png", want.Digest[:31] + "_.jpg", "%" + want.Digest[1:32] + ".jpg"} {
				if _, _, found, err := d.Picture(t.Context(), tx, name); found || err != nil {
					t.Errorf("%q: %v, %v", name, found, err)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
