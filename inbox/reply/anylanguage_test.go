package reply

import "testing"

// TestAnyLanguage: the shape of what a mail program writes tells it, where no
// table knows its words.
func TestAnyLanguage(t *testing.T) {
	const own = "Lovely tides.\n\nBest of the week!"
	for name, below := range map[string]string{
		"a header block in Basque":   "Nork: Ada <ada@example.org>\nBidalia: 2026(e)ko azaroaren 2a 8:00\nNori: Bob <bob@example.net>\nGaia: #129\n\nKaixo.",
		"a title of unknown words":   "-------- 원본 이메일 --------\nFrom: Ada <ada@example.org>\nDate: 2026-11-02 08:00\nTo: bob@example.net\nSubject: #129\n\nHello.",
		"a name cut off its address": "ในวันที่ จ. 2 พ.ย. 2026 เวลา 08:00 Ada\n<ada@example.org> เขียนว่า:\n\n> Hello.",
		"an author and no verb":      "Zitat von Ada <ada@example.org>:\n\n> Hello.",
		"a program at the foot":      "iOS için Outlook'u edinin\n\nOn Mon, Nov 2, 2026 at 8:00 AM Ada <ada@example.org> wrote:\n\n> Hello.",
	} {
		if got := Split(own + "\n\n" + below + "\n").Own; got != own {
			t.Errorf("%s: %q", name, got)
		}
	}
	self := "I wrote to you on Monday, 2 November 2026 at 08:00:\nno answer yet."
	if got := Split(self + "\n").Own; got != self {
		t.Errorf("one's own words: %q", got)
	}
}
