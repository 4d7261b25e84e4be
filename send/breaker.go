package send

import (
	"fmt"
	"strings"
	"sync"
)

// The breaker's measure: five refusals of us that make a twentieth of the
// last 200 replies, but not before 20 replies; or half of a short list.
const (
	breakerWindow = 200
	breakerLeast  = 20
	breakerOurs   = 5
	breakerShare  = 20
)

// breaker watches the replies to one edition for refusals that concern us and
// not the reader.
type breaker struct {
	mu      sync.Mutex
	last    [breakerWindow]bool
	seen    int
	ours    int
	samples []string
	blamed  map[int64]bool // whose refusal was counted: the retries of one reader are not many refusals
}

// reply counts one answer. It returns the reason for a pause when there are
// too many refusals of us, "" else. total is how many readers the run has.
func (b *breaker) reply(delivery int64, o Outcome, ours bool, total int) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if ours && b.blamed[delivery] {
		return ""
	}
	at := b.seen % breakerWindow
	if b.seen >= breakerWindow && b.last[at] {
		b.ours--
	}
	b.last[at] = ours
	b.seen++
	if !ours {
		return ""
	}
	b.ours++
	if b.blamed == nil {
		b.blamed = map[int64]bool{}
	}
	b.blamed[delivery] = true
	if len(b.samples) < 3 {
		b.samples = append(b.samples, o.Transcript)
	}
	n := min(b.seen, breakerWindow)
	many := n >= breakerLeast && b.ours >= breakerOurs && b.ours*breakerShare >= n
	half := b.ours >= 2 && b.ours*2 >= total
	if !many && !half {
		return ""
	}
	reason := fmt.Sprintf("servers refuse us: %d of the last %d replies. %s", b.ours, n, strings.Join(b.samples, " | "))
	b.seen, b.ours, b.samples, b.last, b.blamed = 0, 0, nil, [breakerWindow]bool{}, nil
	return reason
}
