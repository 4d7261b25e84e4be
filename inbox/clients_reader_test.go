package inbox

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"galley/inbox/intent"
	"galley/inbox/mime"
)

// readersWords are answers of readers to an issue, and what they are: the
// word, the links, "letter", and what is said about the name.
var readersWords = []struct{ own, want string }{
	{"unsubscribe", "unsubscribe"},
	{"Unsubscribe please", "unsubscribe"},
	{"STOP", "unsubscribe"},
	{"Please remove me", "unsubscribe"},
	{"Abmelden", "unsubscribe"},
	{"Bonjour,\n\nme désabonner svp\n\nMerci", "unsubscribe"},
	{"darme de baja por favor", "unsubscribe"},
	{"Отпишите меня", "unsubscribe"},
	{"退订", "unsubscribe"},
	{"Uitschrijven aub", "unsubscribe"},
	{"Please take me off, thanks for the fish", "unsubscribe wish letter"},
	{"I no longer wish to receive these mails. Please unsubscribe me.", "unsubscribe wish letter"},
	{"Ich möchte mich bitte vom Newsletter abmelden. Danke!", "unsubscribe wish letter"},
	{"Merci de me désinscrire de cette liste.", "unsubscribe wish letter"},
	{"Por favor, quiero darme de baja de esta lista.", "unsubscribe wish letter"},
	{"Please do not take me off, but pause it", "letter"},
	{"Don't unsubscribe me by mistake!", "letter"},
	{"Stop the press! Have you seen https://example.org/x ?", "https://example.org/x"},
	{"https://example.org/x", "https://example.org/x"},
	{"Loved this. Have you seen https://example.org/x?utm_source=mail&id=3 ?", "https://example.org/x?utm_source=mail&id=3"},
	{"This one: <https://example.org/a_(b)>.", "https://example.org/a_(b)"},
	{"Two for you:\n- https://example.org/one\n- https://example.org/two", "https://example.org/one https://example.org/two"},
	{"www.example.org/y for you", "http://www.example.org/y"},
	{"Loved it.\n\nBest,\nAda\n\nPS: see https://example.org/ps", "https://example.org/ps"},
	{"https://example.org/x\nYou may use my name.", "https://example.org/x named"},
	{"https://example.org/x\nPlease don't mention me.", "https://example.org/x private"},
	{"https://example.org/x but keep this between us", "https://example.org/x private"},
	{"https://example.org/x Gern mit meinem Namen, Sie dürfen mich nennen.", "https://example.org/x named"},
	{"https://example.org/x Bitte nennen Sie meinen Namen nicht.", "https://example.org/x private"},
	{"https://example.org/x Vous pouvez citer mon nom.", "https://example.org/x named"},
	{"https://example.org/x Puedes usar mi nombre.", "https://example.org/x named"},
	{"https://example.org/x Anonymously please", "https://example.org/x anonymous"},
	{"https://example.org/x You can use my name if you spell it right.", "https://example.org/x anonymous"},
	{"The part about the binder made me laugh.\nWe keep ours in the fridge.", "letter"},
	{"Great issue!", "letter"},
	{"approve", "letter"},
	{"Can you tell me how you made the pictures?", "letter"},
	{"https://example.org/x\n\nBy the way, what do you use for the pictures in it? I have been looking for something like it.", "https://example.org/x letter"},
	{"pause until september", "pause"},
	{"resume", "resume"},
	{"move to ada@new.example", "move"},
	{"quiet", "quiet"},
	{"forget me", "forget me"},
	{"subscribe", "subscribe"},
}

// heardAs is a reader's reading in one line, for tables.
func heardAs(r intent.ReaderReading) string {
	var out []string
	if r.Word != "" {
		out = append(out, string(r.Word))
	}
	if r.Wish {
		out = append(out, "wish")
	}
	out = append(out, r.Links...)
	if r.Consent != "" {
		out = append(out, string(r.Consent))
	}
	if r.Letter {
		out = append(out, "letter")
	}
	return strings.Join(out, " ")
}

// TestProgramsLeaveAReadersWords reads readers' answers from every program:
// no link of the quote is theirs, and none of theirs is missed.
func TestProgramsLeaveAReadersWords(t *testing.T) {
	right, all := 0, 0
	for _, p := range programs() {
		for _, w := range readersWords {
			all++
			m, err := mime.Read(p.raw(w.own, deskAddr, "<copy.12.1@quiet.example>"))
			if err != nil {
				t.Fatal(err)
			}
			r := readReader(&letter{m: m}, true, string(intent.PaperIssue), time.Date(2000, 1, 6, 18, 10, 0, 0, time.UTC), time.UTC)
			if got := heardAs(r); got != w.want {
				t.Errorf("%s: %q is %q, want %q", p.name, w.own, got, w.want)
				continue
			}
			right++
		}
	}
	t.Logf("%d answers in %d programs: %d of %d", len(readersWords), len(programs()), right, all)
}

// TestProgramsLeaveTheText: what a person wrote above, below or between comes
// through as it is, whatever the program adds to it.
func TestProgramsLeaveTheText(t *testing.T) {
	words := []string{
		"One line.",
		"Dear Ines,\n\nthe binder is a fine thing.\n\nWe have two of them: one in the kitchen, one by the door.\n\nIt was written on Tuesday:\n\nkeep it short.",
		"From what I hear, on 3 May Ada wrote a book about it.\n\nDate it as you like.",
	}
	for _, p := range programs() {
		for _, own := range words {
			m, err := mime.Read(p.raw(own, deskAddr, "<copy.12.1@quiet.example>"))
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Fields(split(m).Own)
			if !slices.Equal(got, strings.Fields(own)) {
				t.Errorf("%s: %q became %s", p.name, own, short(fmt.Sprintf("%q", strings.Join(got, " "))))
			}
		}
	}
}

func short(s string) string {
	if len(s) > 300 {
		return s[:300] + "…"
	}
	return s
}
