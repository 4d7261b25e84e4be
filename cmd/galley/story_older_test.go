package main

import (
	"os"
	"path/filepath"
)

// olderVerbs are the forms of lines about books that were put back.
var olderVerbs = []verb{
	on(`the books are copied away`, (*story).copiesBooks),
	on(`the books are put back from that copy`, (*story).putsBooksBack),
	given(`no copies in Sent`, func(s *story, _ []string) { s.plan.sent = "off" }),
}

// copiesBooks is a backup: the house is closed for it, so that the files are
// whole.
func (s *story) copiesBooks([]string) {
	s.t.Helper()
	s.end()
	files, err := filepath.Glob(filepath.Join(s.dir, "galley.db*"))
	if err != nil || len(files) == 0 {
		s.t.Fatalf("no books in %s: %v", s.dir, err)
	}
	s.backup = map[string][]byte{}
	for _, f := range files {
		if s.backup[f], err = os.ReadFile(f); err != nil {
			s.t.Fatal(err)
		}
	}
	s.start()
}

func (s *story) putsBooksBack([]string) {
	s.t.Helper()
	s.end()
	for _, f := range []string{"galley.db", "galley.db-wal", "galley.db-shm"} {
		os.Remove(filepath.Join(s.dir, f))
	}
	for f, data := range s.backup {
		if err := os.WriteFile(f, data, 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
	s.start()
}
