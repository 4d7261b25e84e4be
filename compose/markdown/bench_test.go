package markdown

import (
	"bytes"
	"context"
	"fmt"
	"testing"
)

// BenchmarkCompose reads, parses and writes the golden draft, 1, 4 and 16 times
// its size: the time must grow with the size, not with its square.
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
