package markdown

import (
	"bytes"
	"context"
	"fmt"
	"testing"
)

// BenchmarkTree parses a repaired draft and writes it as HTML and text at 1, 4 and
// 16 times its size, the last beyond what Parse lets in: the growth of the tree
// itself must be near linear.
func BenchmarkTree(b *testing.B) {
	one := Read(Source{Text: goldenDraft(b)}).Body
	for _, n := range []int{1, 4, 16} {
		d := &Draft{Body: bytes.Repeat(append(one, '\n'), n), Line: 1}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.SetBytes(int64(len(d.Body)))
			for b.Loop() {
				doc, _ := parse(d)
				doc.HTML(Mail)
				doc.Text(Mail)
			}
		})
	}
}

// BenchmarkCompose reads, parses and writes the golden draft, 1, 4 and 6 times
// its size, which is what the limit lets in: the time must grow with the size,
// not with its square.
func BenchmarkCompose(b *testing.B) {
	one := Read(Source{Text: goldenDraft(b)}).Markdown()
	for _, n := range []int{1, 4, 6} {
		text := bytes.Repeat(append(one, '\n'), n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				doc, _, err := Parse(context.Background(), Read(Source{Text: text}))
				if err != nil {
					b.Fatal(err)
				}
				doc.HTML(Mail)
				doc.Text(Mail)
			}
		})
	}
}
