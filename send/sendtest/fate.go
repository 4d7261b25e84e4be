package sendtest

import (
	"strconv"
	"strings"
	"sync"
	"time"
)

// Fate is what the local part of a recipient asks for.
type Fate string

// The fates. The word stands before the first "+" of the local part.
const (
	FateAccept   Fate = ""         // 250
	FateDrop     Fate = "drop"     // taken, and the line closed without a reply; the first time only
	FateSlow     Fate = "slow"     // taken, the reply comes late
	FateGreylist Fate = "greylist" // 451 4.7.1 at first
	FateFull     Fate = "full"     // 452 4.2.2
	FatePolicy   Fate = "policy"   // 550 5.7.1: the sender is refused, not the reader
	FateBounce   Fate = "bounce"   // taken; whoever listens with OnAccept may send a DSN
	FateRefuse   Fate = "refuse"   // "550+": that code at RCPT
	FateDot      Fate = "dot"      // "dot451+": that code after the final dot
)

// FateOf reads the fate, and its reply code where it has one, from an
// address such as "451+ann@example.org".
func FateOf(address string) (Fate, int) {
	local := address[:max(strings.LastIndexByte(address, '@'), 0)]
	word, _, ok := strings.Cut(strings.ToLower(local), "+")
	if !ok {
		return FateAccept, 0
	}
	switch f := Fate(word); f {
	case FateDrop, FateSlow, FateGreylist, FateFull, FatePolicy, FateBounce:
		return f, 0
	}
	if rest, ok := strings.CutPrefix(word, "dot"); ok && failure(rest) != 0 {
		return FateDot, failure(rest)
	}
	if code := failure(word); code != 0 {
		return FateRefuse, code
	}
	return FateAccept, 0
}

// failure reads a 4yz or 5yz reply code, 0 when s is none.
func failure(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil || len(s) != 3 || n < 400 || n > 599 {
		return 0
	}
	return n
}

// refusals are the words of the common codes, with their RFC 3463 status.
var refusals = map[int]string{
	421: "4.3.2 shutting down, try again later",
	450: "4.2.0 mailbox is busy, try again later",
	451: "4.3.0 local trouble, try again later",
	452: "4.3.1 no room, try again later",
	550: "5.1.1 nobody of that name here",
	551: "5.1.6 that person has moved",
	552: "5.2.2 mailbox is full",
	553: "5.1.3 that is no mailbox name",
	554: "5.0.0 transaction failed",
}

func refusal(code int) string {
	if text := refusals[code]; text != "" {
		return text
	}
	return strconv.Itoa(code/100) + ".0.0 refused as the address asked"
}

// atRcpt is the reply to RCPT for to.
func (s *Sink) atRcpt(from, to string) (int, string) {
	fate, code := FateOf(to)
	switch {
	case fate == FateRefuse:
		return code, refusal(code)
	case fate == FateFull:
		return 452, "4.2.2 mailbox is full, try again later"
	case fate == FatePolicy:
		return 550, "5.7.1 your mail is not wanted here by policy"
	case fate == FateGreylist && s.grey.refuses(from, to, s.opt.Greylist):
		return 451, "4.7.1 greylisted, try again later"
	}
	return 250, "2.1.5 recipient is fine"
}

// greylist remembers who was seen: triples of RCPT, and drop+ recipients.
type greylist struct {
	mu   sync.Mutex
	seen map[[2]string]time.Time
}

// refuses tells whether the pair is still to wait: until window after it was
// first seen, or its first time only when window is 0.
func (g *greylist) refuses(from, to string, window time.Duration) bool {
	first, known := g.first(from, to)
	if window == 0 {
		return !known
	}
	return time.Since(first) < window
}

func (g *greylist) first(from, to string) (time.Time, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.seen == nil {
		g.seen = map[[2]string]time.Time{}
	}
	key := [2]string{from, to}
	if at, ok := g.seen[key]; ok {
		return at, true
	}
	now := time.Now()
	g.seen[key] = now
	return now, false
}
