package compose

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"galley/compose/picture"
	"galley/send/message"
	"galley/send/store"
)

// mostImages is how many pictures of one mail are kept. An issue of a hundred
// items has fewer.
const mostImages = 60

// Enclosed is a picture as it stands in an editor's mail.
type Enclosed struct {
	Name      string // of the file, "" when it has none
	ContentID string // without angle brackets
	File      bool   // attached, and not laid into the text by a mail program
	Data      []byte
}

// imageRef is how a draft remembers a picture that came with it.
type imageRef struct {
	Name   string `json:"name,omitempty"`
	CID    string `json:"cid,omitempty"`
	File   bool   `json:"file,omitempty"`
	Digest string `json:"digest"`
}

// keepImages stores the pictures of a mail as they came, each file once, and
// returns what the draft remembers of them. They are made fit for mail later:
// that takes time, and this runs in the inbox's transaction.
func (d *Desk) keepImages(ctx context.Context, tx *store.Tx, newsletter string, all []Enclosed) (string, error) {
	var refs []imageRef
	for _, e := range all[:min(len(all), mostImages)] {
		sum := sha256.Sum256(e.Data)
		ref := imageRef{Name: e.Name, CID: e.ContentID, File: e.File, Digest: hex.EncodeToString(sum[:])}
		_, err := tx.ExecContext(ctx, `INSERT INTO image (newsletter, digest, source, size, made) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
			newsletter, ref.Digest, e.Data, len(e.Data), store.Micros(tx.Now()))
		if err != nil {
			return "", fmt.Errorf("picture %s: %w", e.Name, err)
		}
		refs = append(refs, ref)
	}
	if len(refs) == 0 {
		return "", nil
	}
	out, err := json.Marshal(refs)
	return string(out), err
}

// fitImages makes the new pictures of a newsletter fit for mail, one after the
// other and outside of every transaction. What the file told beyond the
// picture goes with the file.
func (d *Desk) fitImages(ctx context.Context, newsletter string) error {
	for {
		var digest string
		var source []byte
		err := d.DB.View(ctx, func(tx *store.Tx) error {
			return tx.QueryRowContext(ctx, `SELECT digest, source FROM image WHERE newsletter = $1 AND shown = '' AND fault = '' ORDER BY digest LIMIT 1`,
				newsletter).Scan(&digest, &source)
		})
		if store.NotFound(err) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := d.fitImage(ctx, newsletter, digest, source); err != nil {
			return err
		}
	}
}

func (d *Desk) fitImage(ctx context.Context, newsletter, digest string, source []byte) error {
	p, err := picture.Fit(source)
	var u *picture.Unreadable
	if err != nil && !errors.As(err, &u) {
		return err
	}
	var fault *Fault
	if u != nil {
		n := d.Newsletters[newsletter]
		if fault, err = FaultOf(n.Frame.Looks, u); err != nil {
			return err
		}
	}
	return d.DB.Update(ctx, func(tx *store.Tx) error {
		if fault != nil {
			_, err := tx.ExecContext(ctx, `UPDATE image SET source = NULL, fault = $1, remedy = $2 WHERE newsletter = $3 AND digest = $4`,
				fault.Why, fault.Remedy, newsletter, digest)
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE image SET source = NULL, shown = $1, kind = $2, width = $3, height = $4, from_width = $5, from_height = $6, data = $7
			WHERE newsletter = $8 AND digest = $9`, p.Digest, p.Type, p.Width, p.Height, p.FromWidth, p.FromHeight, p.Data, newsletter, digest)
		return err
	})
}

// pictures gives the frame what came with a draft, and what came with the
// earlier revisions of its issue: a small change, or the text mailed again
// without its pictures, loses none.
func (h *home) pictures(ctx context.Context, tx *store.Tx, f *Frame) (err error) {
	if f.Brought, err = attachedTo(ctx, tx, h.draft.Newsletter, h.draft.Images); err != nil || h.issue == nil {
		return err
	}
	rows, err := tx.QueryContext(ctx, `SELECT images FROM draft WHERE issue = $1 AND revision > 0 AND images <> '' ORDER BY revision DESC`, h.issue.ID)
	if err != nil {
		return err
	}
	defer rows.Close()
	var earlier []string
	for rows.Next() {
		var images string
		if err := rows.Scan(&images); err != nil {
			return err
		}
		earlier = append(earlier, images)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, images := range earlier {
		all, err := attachedTo(ctx, tx, h.draft.Newsletter, images)
		if err != nil {
			return err
		}
		f.Kept = append(f.Kept, all...)
	}
	return nil
}

// attachedTo reads the pictures that a draft remembers.
func attachedTo(ctx context.Context, tx *store.Tx, newsletter, images string) ([]*Attached, error) {
	if images == "" {
		return nil, nil
	}
	var refs []imageRef
	if err := json.Unmarshal([]byte(images), &refs); err != nil {
		return nil, fmt.Errorf("the pictures of a draft: %w", err)
	}
	var all []*Attached
	for _, ref := range refs {
		a, err := ref.read(ctx, tx, newsletter)
		if err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	return all, nil
}

func (ref imageRef) read(ctx context.Context, tx *store.Tx, newsletter string) (*Attached, error) {
	a := &Attached{Name: ref.Name, ContentID: ref.CID, File: ref.File}
	p, u := picture.Picture{}, Fault{}
	err := tx.QueryRowContext(ctx, `SELECT size, shown, kind, width, height, from_width, from_height, fault, remedy, data FROM image WHERE newsletter = $1 AND digest = $2`,
		newsletter, ref.Digest).Scan(&a.Size, &p.Digest, &p.Type, &p.Width, &p.Height, &p.FromWidth, &p.FromHeight, &u.Why, &u.Remedy, &p.Data)
	if err != nil {
		return nil, fmt.Errorf("picture %s: %w", ref.Digest, err)
	}
	if u.Why != "" {
		a.Fault = &u
		return a, nil
	}
	a.Picture = &p
	return a, a.ours(ctx, tx, newsletter, ref.Digest)
}

// ours sees that a picture which Galley mailed itself, and a mail program laid
// into the answer, is not taken for a new file.
func (a *Attached) ours(ctx context.Context, tx *store.Tx, newsletter, digest string) error {
	if !a.File {
		return nil
	}
	var n int
	err := tx.QueryRowContext(ctx, `SELECT count(*) FROM image WHERE newsletter = $1 AND shown = $2 AND digest <> shown`, newsletter, digest).Scan(&n)
	a.File = n == 0
	return err
}

// emptied names the pictures of a rendering without their bytes, which stand in
// the books already.
func emptied(all []message.Attachment) []message.Attachment {
	out := slices.Clone(all)
	for i := range out {
		out[i].Data = nil
	}
	return out
}

// framed is the rendering with its pictures.
func (r *draftRow) framed(ctx context.Context, tx *store.Tx) (*frozen, error) {
	f, err := r.frozen()
	if err != nil {
		return nil, err
	}
	for i := range f.Inline {
		a := &f.Inline[i]
		half, _, _ := strings.Cut(a.ContentID, "@")
		err := tx.QueryRowContext(ctx, `SELECT data FROM image WHERE newsletter = $1 AND shown >= $2 AND shown < $3 LIMIT 1`, r.Newsletter, half, half+"g").Scan(&a.Data)
		if err != nil {
			return nil, fmt.Errorf("draft %d: its picture %s: %w", r.ID, a.ContentID, err)
		}
	}
	return f, nil
}

// Picture gives the bytes of a picture for the site. name is what PictureFile
// makes of its digest; found is false when there is none.
func (d *Desk) Picture(ctx context.Context, tx *store.Tx, name string) (kind string, data []byte, found bool, err error) {
	half, _, _ := strings.Cut(name, ".")
	if len(half) != 32 {
		return "", nil, false, nil
	}
	var p picture.Picture
	// A range and no LIKE, whose signs a stranger could write into the address.
	err = tx.QueryRowContext(ctx, `SELECT shown, kind, data FROM image WHERE shown >= $1 AND shown < $2 ORDER BY shown LIMIT 1`,
		half, half+"g").Scan(&p.Digest, &p.Type, &data)
	if store.NotFound(err) || err == nil && PictureFile(&p) != name {
		return "", nil, false, nil
	}
	return p.Type, data, err == nil, err
}
