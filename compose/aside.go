package compose

import (
	"context"
	"errors"
	"time"

	"galley/send/store"
)

// Aside is a mail that the inbox could not deal with and has set aside whole.
type Aside struct {
	Came    time.Time
	Sender  string // "" where it could not be read
	Subject string
	Why     string // the reason in the books, which the catalogue's aside-why knows
}

// asideShown is how many of them one mail lists; the rest is counted.
const asideShown = 20

// SetAside tells the editors what was set aside. The inbox calls it once a day
// at most.
func (d *Desk) SetAside(ctx context.Context, tx *store.Tx, newsletter string, list []Aside) error {
	n := d.Newsletters[newsletter]
	if n == nil {
		return errors.New("no newsletter \"" + newsletter + "\" in the configuration")
	}
	type line struct{ When, Sender, Subject, Why string }
	var lines []line
	for _, a := range list[:min(len(list), asideShown)] {
		lines = append(lines, line{n.date("hour", a.Came), oneLine(a.Sender), oneLine(a.Subject), oneLine(n.phrase("aside-why", a.Why))})
	}
	subject, text, err := say(n.Frame.Looks, "set-aside", map[string]any{"Mails": lines, "Count": len(list), "More": len(list) - len(lines),
		"Folder": n.Quarantine, "Again": n.Again})
	if err != nil {
		return err
	}
	for _, e := range n.Editors {
		m := &mail{paper: paper{Kind: paperAnswer, Asks: "aside"}, to: e, subject: subject, text: text}
		err = errors.Join(err, d.post(ctx, tx, n, m))
	}
	return err
}
