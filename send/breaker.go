package send

import (
	"fmt"
	"maps"
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
// not the reader: at each provider, and at all together. Of the providers only
// those that refuse are kept, so it does not grow with the list.
type breaker struct {
	mu      sync.Mutex
	last    tally
	at      map[string]*refuser
	blamed  map[int64]bool // whose refusal was counted: the retries of one reader are not many refusals
	shut    map[string]string
	changes int // how often shut was changed by a reply
}

// refuser is a provider that has refused us.
type refuser struct {
	own     tally
	samples []string
}

// answer is one reply. ours tells that it refuses us.
type answer struct {
	provider string
	ours     bool
}

// tally holds the last replies.
type tally struct {
	last [breakerWindow]answer
	seen int
	ours int
}

func (w *tally) add(a answer) {
	i := w.seen % breakerWindow
	if w.last[i].ours {
		w.ours--
	}
	w.last[i] = a
	w.seen++
	if a.ours {
		w.ours++
	}
}

func (w *tally) replies() int { return min(w.seen, breakerWindow) }

// but counts the replies of all other providers, and their refusals.
func (w *tally) but(provider string) (replies, ours int) {
	for _, a := range w.last[:w.replies()] {
		if a.provider != provider {
			replies++
			if a.ours {
				ours++
			}
		}
	}
	return replies, ours
}

// many tells whether so many refusals of some replies are too many.
func many(ours, replies int) bool {
	return replies >= breakerLeast && ours >= breakerOurs && ours*breakerShare >= replies
}

// trip is what is to be done about refusals: the copies for one provider wait,
// or without a provider the whole edition. Without a reason nothing is.
type trip struct{ provider, reason string }

// reply counts one answer of a provider about a delivery. total is how many
// readers the run has.
func (b *breaker) reply(delivery int64, provider string, o Outcome, ours bool, total int) trip {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.shut[provider] != "" || ours && b.blamed[delivery] {
		return trip{}
	}
	r := b.at[provider]
	if ours && r == nil {
		r = b.refuser(provider)
	}
	a := answer{provider, ours}
	b.last.add(a)
	if r != nil {
		r.own.add(a)
	}
	if !ours {
		return trip{}
	}
	b.blamed[delivery] = true
	if len(r.samples) < 3 {
		r.samples = append(r.samples, o.Transcript)
	}
	return b.judge(provider, r, total)
}

// refuser begins the tally of a provider with what is known of its replies.
func (b *breaker) refuser(provider string) *refuser {
	if b.at == nil {
		b.at, b.blamed = map[string]*refuser{}, map[int64]bool{}
	}
	r := &refuser{}
	for _, a := range b.last.last[:b.last.replies()] {
		if a.provider == provider {
			r.own.add(a)
		}
	}
	b.at[provider] = r
	return r
}

// judge looks whether the last refusal was one too many. Where the others take
// our mail it is the provider alone whose readers wait.
func (b *breaker) judge(provider string, r *refuser, total int) trip {
	n, ours := b.last.replies(), b.last.ours
	half := ours >= 2 && ours*2 >= total
	if !many(ours, n) && !half && !many(r.own.ours, r.own.replies()) {
		return trip{}
	}
	others, refused := b.last.but(provider)
	if others > 0 && !many(refused, others) && refused*2 < others {
		reason := refusing(r.own.ours, r.own.replies(), r.samples)
		b.close(provider, reason)
		return trip{provider, reason}
	}
	reason := refusing(ours, n, b.samples(provider))
	b.last, b.at, b.blamed = tally{}, nil, nil
	return trip{"", reason}
}

// close leaves a provider alone and takes its replies out of the measure of
// all.
func (b *breaker) close(provider, reason string) {
	rest := tally{}
	for i := range b.last.replies() {
		if a := b.last.last[(b.last.seen+i)%b.last.replies()]; a.provider != provider {
			rest.add(a)
		}
	}
	b.last = rest
	delete(b.at, provider)
	shut := maps.Clone(b.shut)
	if shut == nil {
		shut = map[string]string{}
	}
	shut[provider] = reason
	b.shut = shut
	b.changes++
}

// samples are up to three of the servers' replies, those of one provider first.
func (b *breaker) samples(provider string) []string {
	all := b.at[provider].samples
	for p, r := range b.at {
		if p != provider {
			all = append(all, r.samples...)
		}
	}
	return all[:min(len(all), 3)]
}

func refusing(ours, replies int, samples []string) string {
	return fmt.Sprintf("servers refuse us: %d of the last %d replies. %s", ours, replies, strings.Join(samples, " | "))
}

// closed tells why the copies for a provider wait, "" when they do not.
func (b *breaker) closed(provider string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.shut[provider]
}

// learn takes over what the books say of the providers that are left alone,
// unless a reply has said more since version was asked for.
func (b *breaker) learn(shut map[string]string, version int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.changes == version {
		b.shut = shut
	}
}

// version counts the changes by replies.
func (b *breaker) version() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.changes
}
