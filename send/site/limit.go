package site

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// postsAMinute is how many posts one web address may make in a minute
// (trust.md section 5). Those that carry a valid token for leaving are not
// counted: nobody is kept on a list by a limit.
const postsAMinute = 20

// mostCounted bounds the table of web addresses.
const mostCounted = 50_000

// limit counts the posts of each web address in the running minute. Its zero
// value is ready.
type limit struct {
	mu     sync.Mutex
	minute time.Time
	posts  map[string]int
}

// wait counts a post and says how long its sender has to wait; 0 lets it in.
func (l *limit) wait(from string, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.minute) >= time.Minute || now.Before(l.minute) || len(l.posts) > mostCounted {
		l.minute, l.posts = now, map[string]int{}
	}
	l.posts[from]++
	if l.posts[from] <= postsAMinute {
		return 0
	}
	return l.minute.Add(time.Minute).Sub(now)
}

// limited counts a post, and answers it when there were too many.
func (s *Site) limited(w http.ResponseWriter, r *http.Request) bool {
	if r.Method != http.MethodPost {
		return false
	}
	wait := s.limit.wait(block(s.client(r)), time.Now())
	if wait <= 0 {
		return false
	}
	w.Header().Set("Retry-After", strconv.Itoa(int(wait/time.Second)+1))
	w.Header().Set("Cache-Control", "no-store")
	s.show(w, r, s.Newsletters[0], http.StatusTooManyRequests, "notice", view{Private: true, Kind: "limit"})
	return true
}

// client is the web address that a request comes from. What a proxy says of
// it counts only from a proxy that the configuration names: everybody can
// write X-Forwarded-For.
func (s *Site) client(r *http.Request) netip.Addr {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return netip.IPv4Unspecified()
	}
	addr = addr.Unmap()
	for _, hop := range slices.Backward(strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")) {
		if !s.trusted(addr) {
			break
		}
		next, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			break
		}
		addr = next.Unmap().WithZone("")
	}
	return addr
}

func (s *Site) trusted(a netip.Addr) bool {
	return slices.ContainsFunc(s.Proxies, func(p netip.Prefix) bool { return p.Contains(a) })
}

// block is the network that one customer has: an IPv4 address, or the /64 of
// an IPv6 one.
func block(a netip.Addr) string {
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}
