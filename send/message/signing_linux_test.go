package message

import (
	"crypto"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// BenchmarkSigning is goal D1: what a copy of 55 KB costs that is signed with
// RSA when it goes, in terms of the bare signature; at most 1.08. Both in turn,
// each call in processor time of this thread. A call that a neighbour of the
// machine disturbed says nothing, so the middle of each is compared.
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
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var whole, bare []time.Duration
	for b.Loop() {
		whole = append(whole, threadTime(b, func() error {
			_, err := c.Splice(buf, slots, signers)
			return err
		}))
		bare = append(bare, threadTime(b, func() error {
			_, err := signers[0].Key.Sign(nil, digest, crypto.SHA256)
			return err
		}))
	}
	slices.Sort(whole)
	slices.Sort(bare)
	ratio := func(i int) float64 { return float64(whole[i]) / float64(bare[i]) }
	b.ReportMetric(ratio(len(whole)/2), "x-bare")
	b.ReportMetric(ratio(len(whole)/4), "x-bare-quarter")
}

// threadTime is the processor's time that a call of f takes on this thread.
func threadTime(b *testing.B, f func() error) time.Duration {
	b.Helper()
	began := threadSpent(b)
	if err := f(); err != nil {
		b.Fatal(err)
	}
	return threadSpent(b) - began
}

func threadSpent(b *testing.B) time.Duration {
	b.Helper()
	const thisThread = 1 // RUSAGE_THREAD, which syscall does not name
	var u syscall.Rusage
	if err := syscall.Getrusage(thisThread, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
