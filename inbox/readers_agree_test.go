package inbox

import (
	"math/rand/v2"
	"strings"
	"testing"

	"galley/inbox/mime"
	"galley/inbox/trust"
)

// TestReadersAgree: where inbox/trust is content with a From, inbox/mime shows
// the same one address; else a forger could prove one and show another.
func TestReadersAgree(t *testing.T) {
	pieces := []string{"From: ada@lab.example", "From: eve@evil.example", "Subject: x", "X-A: y", "\r\n", "\r\n", "\r\n", "\n", "\r", " ", "\t", "\x00", ":", "From",
		"from : eve@evil.example", "Sender: ada@lab.example", "To: news@grid.example", "\v", "\f", "\u00a0", "\u2028", "\xff", "\ufeff", "Content-Type: text/plain",
		"text/html; charset=x", "=?utf-8?q?x?=", " <ada@lab.example>", ",", "From eve@evil.example", "-", "body", "ｌａｂ.example", "\u00ad"}
	r := rand.New(rand.NewPCG(3, 4))
	strict := 0
	for range 100_000 {
		var b strings.Builder
		if r.IntN(2) == 0 {
			b.WriteString("Received: x by y; z\r\n")
		}
		for range 2 + r.IntN(8) {
			b.WriteString(pieces[r.IntN(len(pieces))])
			if r.IntN(2) == 0 {
				b.WriteString("\r\n")
			}
		}
		raw := []byte(b.String() + "\r\n\r\nbody\r\n")
		addr, _, err := trust.StrictFrom(raw)
		if err != nil {
			continue
		}
		strict++
		m, err := mime.Read(raw)
		if err == nil && (len(m.From) != 1 || !strings.EqualFold(m.From[0].Addr, addr)) {
			t.Fatalf("%q: trust reads %s, mime %v", raw, addr, m.From)
		}
	}
	if strict < 1000 {
		t.Errorf("only %d heads were strict: they prove little", strict)
	}
}
