package message

import (
	"crypto"
	"slices"
	"strings"
	"testing"
	"time"
)

// BenchmarkSigning is goal D1: what a copy of 55 KB costs that is signed with
// RSA when it goes, in terms of the bare signature; at most 1.08. Both in turn,
// call by call. A call that a neighbour of the machine disturbed says nothing, so
// of each the fastest quarter's end is compared.
//
//	go test -run '^$' -bench '^BenchmarkSigning$' -benchtime 500x ./send/message
func BenchmarkSigning(b *testing.B) {
	i := testIssue()
	i.HTML = append([]byte(strings.Repeat("<p>A paragraph about  moorings, quays and = signs.</p>\n", 700)), i.HTML...)
	c, err := Compile(i)
	if err != nil {
		b.Fatal(err)
	}
	signers, slots := testSigners(b)[:1], testSlots()
	buf, digest := make([]byte, 0, 128<<10), make([]byte, 32)
	var whole, bare []time.Duration
	for b.Loop() {
		whole = append(whole, timed(b, func() error {
			_, err := c.Splice(buf, slots, signers)
			return err
		}))
		bare = append(bare, timed(b, func() error {
			_, err := signers[0].Key.Sign(nil, digest, crypto.SHA256)
			return err
		}))
	}
	slices.Sort(whole)
	slices.Sort(bare)
	b.ReportMetric(float64(whole[len(whole)/4])/float64(bare[len(bare)/4]), "x-bare")
	b.ReportMetric(float64(bare[len(bare)/4].Microseconds()), "bare-µs")
}

// timed is how long a call of f takes.
func timed(b *testing.B, f func() error) time.Duration {
	b.Helper()
	began := time.Now()
	if err := f(); err != nil {
		b.Fatal(err)
	}
	return time.Since(began)
}
