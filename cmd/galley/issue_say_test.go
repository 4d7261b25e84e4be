package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestIssueSays finds words of the table in conversation.md section 2 that do
// nothing, or are not understood, at the command line: each is said to a house
// in which #12 was sent and #13 is not there yet.
func TestIssueSays(t *testing.T) {
	if testing.Short() {
		t.Skip("plays the demo")
	}
	dir := t.TempDir()
	if code, out, errs := command(t, "demo", "--dir", dir, "--readers", "3"); code != exitOK {
		t.Fatalf("the demo ended with %d\n%s%s", code, out, errs)
	}
	config := filepath.Join(dir, "galley.toml")
	for _, c := range []struct {
		words string
		code  int
		says  string
	}{
		{"approve #12", exitOK, "#12 was sent already"},
		{"send now #12", exitOK, "#12 was sent already"},
		{"approve anyway #12", exitOK, "#12 was sent already"},
		{"resume #12", exitOK, "#12 was sent already"},
		{"yes", exitOK, "what did you mean"},
		{"stop", exitOK, "Nothing to stop"},
		{"hold #12", exitOK, "Nothing to stop"},
		{"wait", exitOK, "Nothing to stop"},
		{"cancel", exitOK, "Nothing to stop"},
		{"skip", exitOK, "there is no weekly slot"},
		{"pause", exitOK, "nothing goes until you resume"},
		{"resume", exitOK, "the schedule goes on"},
		{`change "a" to "b" #12`, exitOK, "places of the text"},
		{`delete "a" #12`, exitOK, "places of the text"},
		{"title New #12", exitOK, "changed"},
		{"subtitle New #12", exitOK, "changed"},
		{"preheader New #12", exitOK, "changed"},
		{"use 999 in Random #12", exitOK, "#12 was sent already"},
		{"use version 3 #12", exitOK, "#12 was sent already"},
		{"undo", exitOK, "nothing to take back"},
		{"decline 999", exitOK, "999"},
		{"later 999", exitOK, "999"},
		{"ask 999", exitOK, "999"},
		{"credit 999 as Ada", exitOK, "No link has this number"},
		{"suggestions", exitOK, "Suggestions"},
		{"letters", exitOK, "Letters"},
		{"test #12", exitOK, "The exact message of proof"},
		{"show", exitOK, "#12 sent"},
		{"status", exitOK, "Status"},
		{"who failed", exitOK, "#12"},
		{"help", exitOK, "approve"},
		{"add ada@new.example", exitOK, "ada@new.example"},
		{"remove ada@new.example", exitOK, "ada@new.example"},
		{"forget ada@new.example", exitOK, "ada@new.example"},
		{"list", exitOK, "on the list"},
		{"list csv", exitFailed, "galley list export"},
		{"import", exitFailed, "galley list import FILE"},
		{"perhaps", exitFailed, "no word of the desk"},
	} {
		code, out, errs := command(t, append([]string{"--config", config, "issue"}, strings.Fields(c.words)...)...)
		if said := folded(out + errs); code != c.code || !strings.Contains(said, c.says) {
			t.Errorf("galley issue %s: exit %d\n%s%s", c.words, code, out, errs)
		}
	}
}
