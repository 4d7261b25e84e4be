package main

import (
	"testing"

	"galley/compose"
	"galley/inbox/intent"
)

// TestIssueWords finds words of the table in conversation.md section 2 that
// the command line would not understand: they are read by the code that reads
// an editor's mail.
func TestIssueWords(t *testing.T) {
	h := &house{desk: &compose.Desk{Newsletters: map[string]*compose.Newsletter{"quiet": {Zone: toronto}}}}
	for line, want := range map[string]string{
		"approve": "approve", "approve saturday 9:00": "approve", "send 2026-12-05 09:00": "send", "send in 2 hours": "send", "send now": "send",
		"approve anyway": "approve anyway", "resume": "resume", "yes": "yes", "no": "no",
		"stop": "stop", "hold": "hold", "wait": "hold", "cancel": "cancel", "skip": "skip", "skip until 10 january": "skip", "pause": "pause",
		`change "old words" to "new words"`: "change", `delete "words"`: "delete", "title New": "title", "subtitle New": "subtitle", "preheader New": "preheader",
		"use 214, 218 in Random": "use", "undo": "undo", "use version 3": "use version",
		"decline 216": "decline", "later 217": "later", "ask 215": "ask", "credit 222 as Ada R.": "credit", "suggestions": "suggestions", "letters": "letters",
		"test": "test", "test a@example.org": "test", "show": "show", "status": "status", "who failed": "who failed", "help": "help",
		"add a@example.org": "add", "remove a@example.org": "remove", "forget a@example.org": "forget", "list": "list", "list a@example.org": "list",
	} {
		d, err := (&issueSay{Words: []string{"#130", line}}).decision(h, &Newsletter{ID: "quiet"})
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		if got := d.Words.Commands[0].Word; got != want || d.Issue != 130 || intent.Word(got) == "" {
			t.Errorf("%s is read as %q of #%d", line, got, d.Issue)
		}
	}
}
