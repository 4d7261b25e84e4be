package servertest

import (
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
