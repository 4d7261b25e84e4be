package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// wordForWord are the mails that the design writes out, each with the golden
// files that show it and the words of the design that must stand in them. Where
// the house says something else on purpose, that is what stands here: a proof
// tells its state in one more line, "us" stands for the editor's "me", and a
// thank-you names no section.
var wordForWord = []struct {
	mail, golden string
	words        []string
}{
	{"1.1 the proof", "proof-ready", []string{"PROOF 1 OF #12: READY", "once you approve", "Reply with one word:", "  approve\n  hold\n  test                               the exact message, to you",
		"  change \"old words\" to \"new words\"  a small fix, and a new proof", "  help                               all the words", "Or send the text again: it becomes proof 2.",
		"Proof code, lets this text go and nothing else:", "For a friend, do not forward this mail: test friend@example.org"}},
	{"1.1 the proof with an error", "proof-error", []string{"Subject: Proof 1 of #12: 1 error", "PROOF 1 OF #12: 1 ERROR\nNothing goes before it is mended, or you say: approve anyway."}},
	{"1.1 the proof whose approval is void", "proof-late", []string{"your approval no longer counts", "NO LONGER APPROVED\nYou approved proof 1; the text has changed since.", "only if you approve this one"}},
	{"1.1 the proof whose time has passed", "proof-time-passed", []string{"ready, its time has passed", "READY, SENT TODAY AT ONCE\nIts time was today, 09:00."}},
	{"1.1 the proof for the rest", "proof-rest", []string{"FOR THE REST", "have proof 1", "Approve, and the other"}},
	{"1.1 what changed", "proof-changed", []string{"CHANGED SINCE PROOF ", " line ", "           + "}},
	{"1.1 what was repaired", "proof-repaired", []string{"REPAIRED", "Your mail program had cut the lines at"}},
	{"1.1 the waiting links", "proof-with-a-waiting-link", []string{"WAITING LINKS (1)", "   use 1 in Random"}},
	{"1.2 the panel", "proof-ready.html", []string{">Approve</a>", ">Hold</a>", ">Test copy</a>", ">All words</a>", "or reply with the word alone. A small fix:"}},
	{"1.3 the starter", "starter", []string{"STARTER FOR #", "Nothing is scheduled by this mail.\nIt would go ", "press Reply and write into the text below"}},
	{"1.4 the reminder", "reminder", []string{"Subject: Reminder: #12 goes tomorrow 09:00 if you approve", "Proof 1 of #12 is ready and waits for you.", "a day later", "not this week",
		"(In answer to a reminder \"ok\" counts as \"I have read it\", not as approve."}},
	{"1.4 the second reminder", "reminder-second", []string{"goes in two hours if you approve"}},
	{"1.4 the reminder of a void approval", "reminder-void", []string{", but the text has changed since: proof "}},
	{"1.4 the reminder of a hold", "reminder-held", []string{"#12 is on hold since "}},
	{"1.4 the reminder without a text", "reminder-no-text", []string{"There is no text for #"}},
	{"1.5 the approval", "approved", []string{"Subject: Approved: #12 goes Saturday 8 January, 09:00", "Proof 1 of #12 goes to 20 readers on Saturday 8 January, 09:00 in",
		"Ten minutes before, you get the first copy. Answer it with stop, and nobody", "Until then hold keeps it back and send sunday 9:00 moves it."}},
	{"1.5 the report", "report-failures", []string{"Subject: Sent: #13 to 20 of 25", "#13 is out, ", "taken by their mail servers", "still being tried", "failed (who failed shows them)", "A typo? Answer with: change \"old words\" to \"new words\""}},
	{"1.5 the final report", "final-failures", []string{"Subject: Final: #13, ", "taken by their mail servers", "readers now."}},
	{"1.6 the confirmation", "reader-confirm", []string{"Please confirm: Quiet Machines", "Someone, you I hope, asked to have Quiet Machines sent to this", "To get it, reply with\n\n    yes\n",
		"If it was not you, do nothing. Nothing will come, and in a week the\naddress is forgotten."}},
	{"1.6 the welcome", "reader-welcome", []string{"You are on the list of Quiet Machines", "Welcome! The next issue comes on Saturday.", "Reply to any issue: it reaches us, and only us.", "To pause: pause until september"}},
	{"1.7 the farewell", "reader-farewell", []string{"You will get no more issues. Thank you for reading.", "reply within 30 days", "    back\n"}},
	{"1.8 the thank-you", "thanks", []string{"in today's issue", "Please keep them\ncoming; just reply to any issue.", "(A word on this only when a link of yours is used. None at all: reply\nquiet)"}},
	{"1.9 the question about the name", "may-we-name-you", []string{"Subject: May we name you?", "How shall we thank you? Reply with one line:", "  yes                      thanks to Ada Reader", "  yes, as Ada R., My Lab   in your own words",
		"  no                       thanks to a reader", "  nothing                  no word of it", "No answer is fine too: then it is \"a reader\"."}},
	{"1.10 an answer from another address", "proof-leaked", []string{"If it was you on another account, the same word from", "is all it takes."}},
	{"1.11 the note", "note-nearest", []string{"Subject: Nothing changed: what did you mean?", "Your mail changed\nnothing.", "I did not understand", "The nearest word: approve.   All words: help",
		"A new text I know by its front matter, by an attached .md, or because it\nis much like the text I have."}},
	{"1.12 help", "help", []string{"approve              proof 1 of #12 goes Saturday 8 January, 09:00", "Lets mail out", "Holds back", "Changes the text", "Links, letters and the list", "Asks"}},
}

// TestMailsWordForWord holds the golden files against the mails that the design
// writes out.
func TestMailsWordForWord(t *testing.T) {
	for _, m := range wordForWord {
		name := m.golden
		if filepath.Ext(name) == "" {
			name += ".txt"
		}
		text, err := os.ReadFile(filepath.Join("testdata/golden", name))
		if err != nil {
			t.Errorf("%s: %v", m.mail, err)
			continue
		}
		for _, words := range m.words {
			if !strings.Contains(string(text), words) && !strings.Contains(folded(string(text)), folded(words)) {
				t.Errorf("%s: %s does not say %q", m.mail, name, words)
			}
		}
	}
}
