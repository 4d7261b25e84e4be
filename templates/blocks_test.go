package templates

import (
	"fmt"
	"strings"
	"testing"
)

// TestBlocksOfAMail takes a mail apart that has every kind of line.
func TestBlocksOfAMail(t *testing.T) {
	text := `Proof 1 of #12 is ready and waits for approve. This line is as long as
one may be, and ends early here.
A second line.

CHANGED
 line 10 - old words that go on until the end of the line and on to the
           next one
           + new words

https://rct.example/newsletter_issues/0130

  1,604  readers at 09:00
     12  taken by their mail servers
           3  no such mailbox

     #12        20        20         0

Reply with one word:
  approve              it goes Saturday 16 July, 09:00 in Toronto, to 1,604
                       readers
  approve anyway

    yes

  A Guide to Podcasts on High Performance Computing

Code, for this question only:
abc
`
	want := `text: Proof 1 of #12 is ready and waits for approve. This line is as long as one may be, and ends early here.|A second line.
head: CHANGED
lines: [line 10 - old words that go on until the end of the line and on to the next one] [+ new words, deep]
link: https://rct.example/newsletter_issues/0130
figures: [1,604=readers at 09:00] [12=taken by their mail servers] [3=no such mailbox, deep]
table: [#12/20/20/0]
label: Reply with one word:
words: [approve=it goes Saturday 16 July, 09:00 in Toronto, to 1,604 readers] [approve anyway=]
words: [yes=]
lines: [A Guide to Podcasts on High Performance Computing]
code: Code, for this question only: [abc]
`
	var got strings.Builder
	for _, b := range Blocks(text, "abc") {
		fmt.Fprintf(&got, "%s:", b.Kind)
		if b.Text != "" {
			got.WriteString(" " + strings.ReplaceAll(b.Text, "\n", "|"))
		}
		for _, r := range b.Rows {
			said := r.Text
			if r.Word != "" {
				said = r.Word + "=" + r.Text
			}
			if r.Deep {
				said += ", deep"
			}
			if len(r.Cells) > 0 {
				said = strings.Join(r.Cells, "/")
			}
			fmt.Fprintf(&got, " [%s]", said)
		}
		got.WriteString("\n")
	}
	if got.String() != want {
		t.Errorf("the mail is taken apart as\n%s\nand not as\n%s", &got, want)
	}
}
