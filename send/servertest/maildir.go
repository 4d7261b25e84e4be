package servertest

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"
)

// Lay puts a message into a mailbox as a delivery on the same machine does:
// written whole under another name, and then moved into new.
func (d *Dovecot) Lay(user, name string, raw []byte) error {
	dir := d.Maildir(user, name)
	for _, sub := range []string{d.Home(user), dir, filepath.Join(dir, "tmp"), filepath.Join(dir, "new"), filepath.Join(dir, "cur")} {
		if err := os.MkdirAll(sub, 0o700); err != nil {
			return err
		}
		give(d.t, sub)
	}
	file := fmt.Sprintf("%d.%s.test", time.Now().Unix(), rand.Text())
	tmp := filepath.Join(dir, "tmp", file)
	if err := os.WriteFile(tmp, raw, 0o600); err != nil {
		return err
	}
	give(d.t, tmp)
	return os.Rename(tmp, filepath.Join(dir, "new", file))
}

// Store puts the n-th of many messages into a user's inbox while nobody looks.
// It has line feeds alone; its name tells both of its sizes, as those of
// Dovecot's own deliveries do, so that none has to be read to be counted. The
// mailbox's UIDVALIDITY is 1000.
func (d *Dovecot) Store(user string, n int, raw []byte) error {
	cur := filepath.Join(d.Maildir(user, "INBOX"), "cur")
	if n == 0 {
		if err := d.room(user); err != nil {
			return err
		}
	}
	bare := bytes.Count(raw, []byte("\n")) - bytes.Count(raw, []byte("\r\n"))
	file := filepath.Join(cur, fmt.Sprintf("%d.M%dP1.test,S=%d,W=%d:2,", 1_700_000_000+n, n, len(raw), len(raw)+bare))
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		return err
	}
	give(d.t, file)
	return nil
}

// Link gives a user the same inbox as another one has, by links to the files.
func (d *Dovecot) Link(from, to string) {
	d.t.Helper()
	if err := d.room(to); err != nil {
		d.t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(d.Maildir(from, "INBOX"), "cur", "*"))
	if err != nil {
		d.t.Fatal(err)
	}
	for _, f := range files {
		if err := os.Link(f, filepath.Join(d.Maildir(to, "INBOX"), "cur", filepath.Base(f))); err != nil {
			d.t.Fatal(err)
		}
	}
}

// room makes the folders of a user's inbox, with its UIDVALIDITY.
func (d *Dovecot) room(user string) error {
	dir := d.Maildir(user, "INBOX")
	for _, sub := range []string{filepath.Dir(d.Home(user)), d.Home(user), dir, filepath.Join(dir, "tmp"), filepath.Join(dir, "new"), filepath.Join(dir, "cur")} {
		if err := os.MkdirAll(sub, 0o700); err != nil {
			return err
		}
		give(d.t, sub)
	}
	list := filepath.Join(dir, "dovecot-uidlist")
	if err := os.WriteFile(list, []byte("3 V1000 N1 G00000000000000000000000000000001\n"), 0o600); err != nil {
		return err
	}
	give(d.t, list)
	return nil
}

// Folders are the names of a user's mailboxes.
func (d *Dovecot) Folders(user string) []string {
	d.t.Helper()
	out := []string{"INBOX"}
	files, err := filepath.Glob(filepath.Join(d.Maildir(user, "INBOX"), ".*", "cur"))
	if err != nil {
		d.t.Fatal(err)
	}
	for _, f := range files {
		name := strings.TrimPrefix(filepath.Base(filepath.Dir(f)), ".")
		out = append(out, strings.ReplaceAll(name, ".", "/"))
	}
	sort.Strings(out)
	return out
}
