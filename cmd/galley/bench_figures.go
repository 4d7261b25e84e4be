package main

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"galley/send/sendtest"
)

// tally counts the copies of each reader at the next hop.
type tally struct {
	mu     sync.Mutex
	copies []uint16
	digest [][32]byte // of the first copy, when they are compared
	seen   int        // readers with a copy
	unlike int        // further copies with other octets
	at     int        // when so many have one,
	done   chan struct{}
	again  time.Time     // when a sender was started again that has sent nothing yet
	late   time.Duration // the longest time from a start to its first copy
}

func newTally(readers int, compare bool) *tally {
	t := &tally{copies: make([]uint16, readers)}
	if compare {
		t.digest = make([][32]byte, readers)
	}
	return t
}

// take counts one copy.
func (t *tally) take(a sendtest.Accepted) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.again.IsZero() {
		t.late, t.again = max(t.late, time.Since(t.again)), time.Time{}
	}
	for _, to := range a.To {
		local, _, _ := strings.Cut(strings.TrimPrefix(to, "reader"), "@")
		i, err := strconv.Atoi(local)
		if err != nil || i >= len(t.copies) {
			continue
		}
		if t.copies[i]++; t.copies[i] == 1 {
			t.seen++
		}
		t.compare(i, a.Digest)
	}
	if t.done != nil && t.seen >= t.at {
		close(t.done)
		t.done = nil
	}
}

func (t *tally) compare(i int, digest [32]byte) {
	switch {
	case t.digest == nil:
	case t.copies[i] == 1:
		t.digest[i] = digest
	case t.digest[i] != digest:
		t.unlike++
	}
}

// readers is how many have a copy. A nil tally has seen none.
func (t *tally) readers() int {
	if t == nil {
		return 0
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.seen
}

// restarted tells that a sender is started now in place of a killed one.
func (t *tally) restarted() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.again = time.Now()
}

// reach is closed when that many readers have a copy; never for 0.
func (t *tally) reach(at int) <-chan struct{} {
	if t == nil || at == 0 {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.at, t.done = at, make(chan struct{})
	return t.done
}

// benchFigures is what a bench has found.
type benchFigures struct {
	Recipients  int     `json:"recipients"`
	Connections int     `json:"connections"`
	Window      int     `json:"window"`
	KB          int     `json:"kb"`
	Sign        string  `json:"sign"`
	Ahead       bool    `json:"ahead"`
	Sent        int     `json:"sent"` // by the last sender's own books
	Seconds     float64 `json:"seconds"`
	PerSecond   float64 `json:"per_second"`
	CPU         float64 `json:"cpu_us"` // a message, of the sender
	Allocs      float64 `json:"allocs"` // a message
	PeakMB      float64 `json:"peak_mb"`
	Share       struct {
		Making  float64 `json:"making"`
		Wire    float64 `json:"wire"`
		Books   float64 `json:"books"`
		Waiting float64 `json:"waiting"`
	} `json:"share"` // of the lines' time, in hundredths
	PerCommit float64 `json:"results_per_commit"`
	Kills     int     `json:"kills"`
	Restart   float64 `json:"restart_s"` // the longest of the starts after a kill, until the next hop had a copy
	Twice     int     `json:"twice"`     // copies beyond the first
	Lost      int     `json:"lost"`
	Unlike    int     `json:"unlike"` // second copies with other octets than the first
	Counted   bool    `json:"counted"`
}

// figures puts together what the last sender, the next hop and the clock say.
func (b *bench) figures() (*benchFigures, error) {
	if len(b.runs) == 0 {
		return nil, fmt.Errorf("bench: no sender came to its end")
	}
	s := b.runs[len(b.runs)-1]
	f := &benchFigures{Recipients: b.Recipients, Connections: b.Connections, Window: b.Window, KB: b.Size, Sign: b.Sign, Ahead: b.Sign != "none" && !b.Inline,
		Sent: s.Sent, Seconds: s.Took.Seconds(), Kills: b.killed, PeakMB: float64(s.Peak) / 1e6, Counted: b.tally != nil}
	n := float64(max(s.Results, 1))
	f.PerSecond = n / max(f.Seconds, 1e-6)
	f.CPU = float64(s.CPU.Nanoseconds()) / 1e3 / n
	f.Allocs = float64(s.Mallocs) / n
	f.PerCommit = n / float64(max(s.Commits, 1))
	whole := float64(s.Making+s.Wire+s.Books+s.Waiting) / 100
	if whole > 0 {
		f.Share.Making, f.Share.Wire = float64(s.Making)/whole, float64(s.Wire)/whole
		f.Share.Books, f.Share.Waiting = float64(s.Books)/whole, float64(s.Waiting)/whole
	}
	if b.tally != nil {
		for _, n := range b.tally.copies {
			if n == 0 {
				f.Lost++
			} else {
				f.Twice += int(n) - 1
			}
		}
		f.Unlike, f.Restart = b.tally.unlike, b.tally.late.Seconds()
	}
	return f, nil
}

// kept tells whether the promise was: nobody lost, at most one second copy a
// line and kill, all copies of one reader alike.
func (f *benchFigures) kept() bool {
	return f.Lost == 0 && f.Unlike == 0 && f.Twice <= f.Kills*f.Connections*max(f.Window, 1) && (f.Counted || f.Sent == f.Recipients)
}

// String is the figures for a person.
func (f *benchFigures) String() string {
	var b strings.Builder
	signed := map[string]string{"none": "unsigned", "rsa": "signed by RSA-2048", "ed25519": "signed by Ed25519", "both": "signed by RSA-2048 and Ed25519"}[f.Sign]
	if f.Ahead {
		signed += " ahead of time"
	}
	fmt.Fprintf(&b, "%d copies of about %d KB over %d lines, %s.\n\n", f.Recipients, f.KB, f.Connections, signed)
	took := time.Duration(f.Seconds * float64(time.Second)).Round(time.Millisecond)
	fmt.Fprintf(&b, "  speed    %.0f messages a second, each result on disk before its line's next message; %v in all\n", f.PerSecond, took)
	fmt.Fprintf(&b, "  cost     %.0f µs of processor and %.0f allocations a message; at most %.0f MB of memory\n", f.CPU, f.Allocs, f.PeakMB)
	fmt.Fprintf(&b, "  a line   %.0f %% talking, %.0f %% until its result is on disk, %.0f %% writing copies, %.0f %% waiting for work\n",
		f.Share.Wire, f.Share.Books, f.Share.Making, f.Share.Waiting)
	fmt.Fprintf(&b, "  commits  %.1f results each\n", f.PerCommit)
	if f.Kills > 0 {
		fmt.Fprintf(&b, "  killed   %d times; the figures above are those of the last sender\n", f.Kills)
		fmt.Fprintf(&b, "  restart  %.2f s at most, from the start after a kill to the next copy\n", f.Restart)
	}
	if f.Counted {
		fmt.Fprintf(&b, "  promise  %d lost, %d came twice (at most %d may), %d of those not to the octet the same\n", f.Lost, f.Twice, f.Kills*f.Connections*max(f.Window, 1), f.Unlike)
	} else {
		fmt.Fprintf(&b, "  promise  %d of %d were taken, by the next hop's own words\n", f.Sent, f.Recipients)
	}
	return b.String()
}
