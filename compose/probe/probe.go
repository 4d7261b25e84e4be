package probe

import (
	"cmp"
	"context"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"
)

// The limits of trust.md bar 77.
const (
	maxTime      = 5 * time.Second
	maxBytes     = 512 << 10
	maxHeader    = 64 << 10
	maxRedirects = 3
	maxURL       = 2048
)

// How long an answer holds. A page that is there is not asked for twice while an
// issue is being written; one that is not may come back within the hour.
const (
	fineFor  = 12 * time.Hour
	otherFor = 20 * time.Minute
	maxKept  = 10_000
)

// Prober asks. The zero value works; one Prober is to be used for all, since it
// keeps the answers.
type Prober struct {
	Agent   string // User-Agent; "Galley (link check)" when empty
	Workers int    // hosts at once, 2 to 8; 4 when 0
	// Resolver looks names up; nil is the system's.
	Resolver *net.Resolver
	// Dial opens the connections, in tests. Nil is the guarded way.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)

	once   sync.Once
	online func(ctx context.Context) bool // whether this machine reaches the world at all
	client *http.Client
	mu     sync.Mutex
	kept   map[Ask]kept
}

type kept struct {
	answer Answer
	until  time.Time
}

// Probe asks for every link and returns the answers by URL. It returns when all
// are there or when ctx ends; what is missing then is Waiting.
func (p *Prober) Probe(ctx context.Context, asks []Ask) map[string]Answer {
	p.once.Do(p.open)
	all := map[string]Answer{}
	byHost := map[string][]Ask{}
	for _, a := range asks {
		if _, twice := all[a.URL]; twice {
			continue
		}
		answer, u, known := p.before(a)
		all[a.URL] = answer
		if !known {
			byHost[u.Host] = append(byHost[u.Host], a)
		}
	}
	var heard []answered
	for a := range p.ask(ctx, byHost) {
		heard = append(heard, a)
	}
	if !p.believable(ctx, heard) {
		return all
	}
	for _, a := range heard {
		p.keep(a.ask, a.answer)
		all[a.ask.URL] = a.answer
	}
	return all
}

// believable is false when it was our own line that failed: no server said
// anything, and even a name that is always there cannot be found. Nothing is
// called dead then.
func (p *Prober) believable(ctx context.Context, heard []answered) bool {
	if len(heard) == 0 || slices.ContainsFunc(heard, func(a answered) bool { return a.answer.Status != 0 }) {
		return true
	}
	return p.online(ctx)
}

// always is a name server of the root, which no network can do without.
const always = "a.root-servers.net"

func (p *Prober) resolves(ctx context.Context) bool {
	resolver := cmp.Or(p.Resolver, net.DefaultResolver)
	ctx, cancel := context.WithTimeout(ctx, maxTime)
	defer cancel()
	found, err := resolver.LookupHost(ctx, always)
	return err == nil && len(found) > 0
}

// before gives the answers for which nobody must be asked.
func (p *Prober) before(a Ask) (Answer, *url.URL, bool) {
	u, err := url.Parse(a.URL)
	if err != nil || len(a.URL) > maxURL {
		return Answer{State: Forbidden, Why: "no-address"}, nil, true
	}
	if state, why := askable(u); state != "" {
		return Answer{State: state, Why: why}, u, true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if k, ok := p.kept[a]; ok && time.Now().Before(k.until) {
		return k.answer, u, true
	}
	return Answer{State: Waiting, Why: "no-time"}, u, false
}

type answered struct {
	ask    Ask
	answer Answer
}

// ask lets the workers take host after host. The channel closes when all are
// done or ctx has ended; a worker that is still at it then writes to nobody.
func (p *Prober) ask(ctx context.Context, byHost map[string][]Ask) <-chan answered {
	total := 0
	hosts := make(chan []Ask, len(byHost))
	for _, asks := range byHost {
		hosts <- asks
		total += len(asks)
	}
	close(hosts)
	out := make(chan answered, total)
	var workers sync.WaitGroup
	for range min(8, max(2, cmp.Or(p.Workers, 4)), len(byHost)) {
		workers.Go(func() {
			for asks := range hosts {
				p.askHost(ctx, asks, out)
			}
		})
	}
	workers.Wait() // every request ends with ctx
	close(out)
	return out
}

// askHost asks one host for its links, one after the other.
func (p *Prober) askHost(ctx context.Context, asks []Ask, out chan<- answered) {
	for _, a := range asks {
		if ctx.Err() != nil {
			return
		}
		answer := p.one(ctx, a)
		if ctx.Err() != nil && answer.State == Silent {
			return // our own time was over, not the server's
		}
		out <- answered{a, answer}
	}
}

// one asks for a link. Of an http link the https form is asked first: if that
// gives a page, nobody needs the other. Both together have the time of one.
func (p *Prober) one(ctx context.Context, a Ask) Answer {
	ctx, cancel := context.WithTimeout(bounded(ctx), maxTime)
	defer cancel()
	if rest, ok := cutHTTP(a.URL); ok {
		first, stop := context.WithTimeout(ctx, maxTime/2)
		secure := p.get(first, Ask{"https://" + rest, a.Image})
		stop()
		if secure.State == Fine {
			secure.Secure = true
			return secure
		}
	}
	return p.get(ctx, a)
}

func cutHTTP(raw string) (rest string, ok bool) {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "http" || u.Port() != "" {
		return "", false
	}
	return raw[len("http://"):], len(raw) > len("http://")
}

func (p *Prober) keep(a Ask, answer Answer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.kept == nil || len(p.kept) >= maxKept {
		p.kept = map[Ask]kept{}
	}
	hold := otherFor
	if answer.State == Fine {
		hold = fineFor
	}
	p.kept[a] = kept{answer, time.Now().Add(hold)}
}
