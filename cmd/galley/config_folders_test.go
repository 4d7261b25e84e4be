package main

import (
	"testing"

	"galley/send"
)

// What galley check sends itself is found where a daemon that runs files it,
// under the name that the configuration gives the folder, and the mails to the
// editors call the folders by those names.
func TestFolderNames(t *testing.T) {
	o := newOutpost(t)
	o.say("[newsletter.imap]\n", "[newsletter.imap]\nfolders = { automatic = \"Machines\", quarantine = \"Unread\", again = \"Once more\" }\n")
	o.folder = "Machines"
	if bad, err := o.check(false); err != nil || len(bad) > 0 {
		t.Fatalf("%v, found %+v", err, bad)
	}
	c, err := Load(o.config)
	if err != nil {
		t.Fatal(err)
	}
	n := &c.Newsletters[0]
	if d := n.desk(c, nil); d.Quarantine != "Unread" || d.Again != "Once more" {
		t.Errorf("the desk speaks of %q and %q", d.Quarantine, d.Again)
	}
	if f := n.inbox(n.press(c, send.Keys{}, nil)).Folders; f.Quarantine != "Unread" || f.Drafts != "Galley/Drafts" {
		t.Errorf("the inbox files into %+v", f)
	}
}
