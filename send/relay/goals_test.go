package relay

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"galley/send"
	"galley/send/message"
	"galley/send/sendtest"
)

// benchKey signs copies that nobody reads.
var benchKey = ed25519.NewKeyFromSeed([]byte("thirty-two octets of bench seed!"))

// plate is a compiled issue of 55 KB, whose copies share what they can.
type plate struct {
	c       *message.Compiled
	shared  []*send.Shared
	signers []*message.Signer
}

func newPlate(b *testing.B, signers ...*message.Signer) *plate {
	b.Helper()
	words := strings.Repeat("<p>The tide waits for nobody – but a letter does.</p>\n", 880) + message.SlotUnsubscribe
	c, err := message.Compile(&message.Issue{From: message.Address{Addr: "letter@news.example"}, Subject: "#1", Date: time.Now(),
		ListID: "Bench <letter.news.example>", HTML: []byte(words), Text: []byte(message.SlotUnsubscribe)})
	if err != nil {
		b.Fatal(err)
	}
	p := &plate{c: c, signers: signers}
	for _, octets := range c.Constant() {
		p.shared = append(p.shared, &send.Shared{Octets: octets})
	}
	return p
}

func (p *plate) slots(i int) message.Slots {
	return message.Slots{To: message.Address{Addr: fmt.Sprintf("reader%05d@mail.example", i)}, MessageID: fmt.Sprintf("<1.%d@news.example>", i),
		UnsubscribeURL: fmt.Sprintf("https://news.example/u/%040d", i)}
}

// copy makes the octets of the i-th copy in the memory of another.
func (p *plate) copy(b *testing.B, old send.Octets, own []byte, i int) (send.Octets, []byte) {
	own, cuts, _, err := p.c.Apart(own[:0], nil, p.slots(i), p.signers, nil)
	if err != nil {
		b.Error(err)
		return nil, own
	}
	m, from := old[:0], 0
	for k, end := range cuts {
		m, from = append(m, send.Stretch{Own: own[from:end]}, send.Stretch{Shared: p.shared[k]}), end
	}
	return m, own
}

// BenchmarkSigned is goal D2: copies signed with Ed25519 when they go, and copies
// signed by go-msgauth, each over one pipelined line of ours, in turn. At least
// five times as many a second.
//
//	go test -run '^$' -bench '^BenchmarkSigned$' -benchtime 9x ./send/relay
func BenchmarkSigned(b *testing.B) {
	const each = 100
	p := newPlate(b, &message.Signer{Domain: "news.example", Selector: "e1", Key: benchKey})
	bare := newPlate(b)
	raw, err := bare.c.Splice(nil, bare.slots(1), nil)
	if err != nil {
		b.Fatal(err)
	}
	_, r := sink(b, sendtest.Options{Keep: sendtest.KeepCounts})
	r.MaxMessages = 1 << 40
	ours, theirs := open(b, r), open(b, r)
	e := to("ann@example.org")
	var octets send.Octets
	var own []byte
	var signed bytes.Buffer
	carry := func(l send.Line, m send.Octets) {
		if o := carryOne(b.Context(), l, &e, m); o.Verdict != send.Accepted {
			b.Fatal(o)
		}
	}
	options := &dkim.SignOptions{Domain: "news.example", Selector: "e1", Signer: benchKey, Hash: crypto.SHA256,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed}
	var ratios []float64
	for b.Loop() {
		start := time.Now()
		for i := range each {
			octets, own = p.copy(b, octets, own, i)
			carry(ours, octets)
		}
		middle := time.Now()
		for range each {
			signed.Reset()
			if err := dkim.Sign(&signed, bytes.NewReader(raw), options); err != nil {
				b.Fatal(err)
			}
			carry(theirs, send.Whole(signed.Bytes()))
		}
		ratios = append(ratios, float64(time.Since(middle))/float64(middle.Sub(start)))
	}
	b.ReportMetric(median(ratios), "x-go-msgauth")
	b.ReportMetric(ratios[0], "x-least") // median has sorted them
	b.ReportMetric(ratios[len(ratios)-1], "x-most")
}

// BenchmarkDurable is goals S7 and D3: a whole run with each result on disk
// against the same copies that are only sent, and the same run of copies signed
// ahead against it, in turn, over 50 lines. At least 0.4, and 0.7.
//
//	go test -run '^$' -bench '^BenchmarkDurable$' -benchtime 5x ./send/relay
func BenchmarkDurable(b *testing.B) {
	const copies, lines = 2000, 50
	rsa, _, err := message.GenerateKeys()
	if err != nil {
		b.Fatal(err)
	}
	signer := &message.Signer{Domain: "news.example", Selector: "r1", Key: rsa}
	p := newPlate(b)
	var durable, ahead []float64
	for b.Loop() {
		only := rate(b, copies, func(addr string) { sendOnly(b, p, addr, copies, lines) })
		books := rate(b, copies, func(addr string) { sendRun(b, addr, copies, lines) })
		sealed := rate(b, copies, func(addr string) { sendRun(b, addr, copies, lines, signer) })
		durable, ahead = append(durable, books/only), append(ahead, sealed/books)
	}
	b.ReportMetric(median(durable), "x-send-only")
	b.ReportMetric(durable[0], "x-send-only-least")
	b.ReportMetric(median(ahead), "x-unsigned")
	b.ReportMetric(ahead[0], "x-unsigned-least")
}

// sendOnly sends copies without any books.
func sendOnly(b *testing.B, p *plate, addr string, copies, lines int) {
	r := &Relay{Addr: addr, Security: Plain, MaxMessages: 1 << 40}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range lines {
		wg.Go(func() {
			l, err := r.Line(b.Context())
			if err != nil {
				b.Error(err)
				return
			}
			defer l.Close()
			carryAll(b, l, p, &next, int64(copies))
		})
	}
	wg.Wait()
}

// carryAll carries copies until all lines together have carried so many.
func carryAll(b *testing.B, l send.Line, p *plate, next *atomic.Int64, copies int64) {
	var m send.Octets
	var own []byte
	e := to("ann@example.org")
	for i := next.Add(1); i <= copies; {
		m, own = p.copy(b, m, own, int(i))
		if o, ok := l.Begin(context.Background(), e, m); !ok {
			b.Error(o)
			return
		}
		i = next.Add(1)
		ahead := &e
		if i > copies {
			ahead = nil
		}
		if o := l.End(ahead); o.Verdict != send.Accepted {
			b.Error(o)
			return
		}
	}
}
