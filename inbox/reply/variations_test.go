package reply

import (
	"os"
	"strings"
	"testing"
)

// variation is one text of a file in testdata, in which "% name" stands above
// each.
type variation struct{ name, text string }

func variations(t *testing.T, file string) (all []variation) {
	t.Helper()
	b, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range strings.Split("\n"+string(b), "\n% ")[1:] {
		name, text, _ := strings.Cut(s, "\n")
		all = append(all, variation{name, strings.TrimRight(text, "\n")})
	}
	return all
}

const (
	answer = "Thanks, I liked this one.\n\nMore on scales: https://scales.example/old"
	plain  = "Hello reader,\nthis week: https://first.example/a and more.\n\nWrite back any time."
	marked = "> Hello reader,\n> this week: https://first.example/a and more.\n>\n> Write back any time."
)

func ownIs(t *testing.T, what, text, want string) {
	t.Helper()
	if got := Split(text).Own; bareLetters(got) != bareLetters(want) {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

// weakOnes introduce a quote only if it is marked: they name no date.
var weakOnes = map[string]bool{"bare-name": true, "bare-fr": true, "bare-de": true, "horde": true, "horde-de": true, "horde-fr": true,
	"horde-es": true, "horde-pl": true, "k9": true, "mutt3": true, "gnus": true}

// TestAttributionsOfPrograms: the same answer above, below and between what it
// answers, in the manner of a hundred programs and languages.
func TestAttributionsOfPrograms(t *testing.T) {
	for _, v := range variations(t, "attributions.txt") {
		ownIs(t, v.name+" above", answer+"\n\n"+v.text+"\n\n"+marked, answer)
		ownIs(t, v.name+" below", v.text+"\n"+marked+"\n\n"+answer, answer)
		ownIs(t, v.name+" between", v.text+"\n> Hello reader,\n> this week: https://first.example/a\n\nYes to this.\n\n> Write back any time.\n\nI do.\n", "Yes to this.\n\nI do.")
		if !weakOnes[v.name] {
			ownIs(t, v.name+" unmarked", answer+"\n\n"+v.text+"\n\n"+plain, answer)
		}
	}
}

// TestHeaderBlocksOfLanguages: the head that Outlook puts above what is
// answered, with and without its addresses, a line and bold keys.
func TestHeaderBlocksOfLanguages(t *testing.T) {
	for _, v := range variations(t, "headers.txt") {
		names := strings.NewReplacer(" <letter@quiet.example>", "", " <zoe@readers.example>", "").Replace(v.text)
		ownIs(t, v.name, answer+"\n\n"+v.text+"\n\n"+plain, answer)
		ownIs(t, v.name+" names", answer+"\n\n"+names+"\n\n"+plain, answer)
		ownIs(t, v.name+" line", answer+"\n\n________________________________\n"+v.text+"\n\n"+plain, answer)
		ownIs(t, v.name+" wrapped", answer+"\n\n"+v.text+" that goes\non in the next line\n\n"+plain, answer)
	}
}

// TestOwnWordsThatLookLikeQuotes: nothing that a person wrote is dropped,
// alone and above a quote.
func TestOwnWordsThatLookLikeQuotes(t *testing.T) {
	for _, v := range variations(t, "own.txt") {
		ownIs(t, v.name, v.text, v.text)
		ownIs(t, v.name+" above a quote", v.text+"\n\nOn Mon, Nov 23, 2026 at 10:00 AM Quiet Machines <letter@quiet.example> wrote:\n\n"+marked, v.text)
	}
}
