package main

import (
	"strings"

	"galley/inbox"
)

// Folders are the names of the mailbox's folders into which mail is filed
// (conversation.md section 7), with / between levels; the inbox's own
// Folders, as the file writes them.
type Folders struct {
	Drafts      string `toml:"drafts"`      // an editor's drafts, answers and commands; default Galley/Drafts
	Suggestions string `toml:"suggestions"` // default Galley/Suggestions
	Letters     string `toml:"letters"`     // default Galley/Letters
	Bounces     string `toml:"bounces"`     // and complaints; default Galley/Bounces
	Readers     string `toml:"readers"`     // who comes and goes; default Galley/Readers
	Automatic   string `toml:"automatic"`   // machines' mail and our own; default Galley/Automatic
	Quarantine  string `toml:"quarantine"`  // what was not answered; default Galley/Quarantine
	Again       string `toml:"again"`       // what is moved here is dealt with again; default Galley/Again
}

func (f *Folders) defaults() {
	standard := Folders(inbox.DefaultFolders())
	names := standard.each()
	for i, x := range f.each() {
		fill(x.name, *names[i].name)
	}
}

// folder is one of the names and its key in the file.
type folder struct {
	key  string
	name *string
}

func (f *Folders) each() []folder {
	return []folder{{"drafts", &f.Drafts}, {"suggestions", &f.Suggestions}, {"letters", &f.Letters}, {"bounces", &f.Bounces},
		{"readers", &f.Readers}, {"automatic", &f.Automatic}, {"quarantine", &f.Quarantine}, {"again", &f.Again}}
}

// checkFolders wants names that a server can have. Several kinds of mail may
// share a folder. None is the one that mail comes into, where it could not be
// told from new mail, and nothing is filed into the one whose mail is dealt
// with again, or it would be dealt with for ever.
func (m *IMAP) checkFolders(d *document, key string) {
	again := m.Folders.Again
	for _, f := range m.Folders.each() {
		at, name := key+".folders."+f.key, *f.name
		d.oneLine(at, name, "name the folder", true)
		switch {
		case strings.ContainsAny(name, "*%"): // RFC 9051 section 5.1
			d.fault(at, "take another name", "%q has a * or %%, which stand for many folders", name)
		case strings.Contains("/"+name+"/", "//"):
			d.fault(at, "write for example \"Galley/Drafts\"", "%q has a level without a name", name)
		case strings.EqualFold(name, m.Folder), strings.EqualFold(name, "INBOX"):
			d.fault(at, "name a folder of its own", "%q is where mail comes in", name)
		case f.name != &m.Folders.Again && strings.EqualFold(name, again):
			d.fault(key+".folders.again", "name a folder of its own", "%q is also where mail is filed (%s)", again, f.key)
		}
	}
	if strings.EqualFold(m.Sent, again) {
		d.fault(key+".folders.again", "name a folder of its own", "%q is also where copies of what goes out lie (sent)", again)
	}
}
