package main

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"time"

	"galley/send/site"
	"galley/templates"
)

// web builds the server of the pages. Its limits are those of trust.md
// section 5.
func (h *house) web(ctx context.Context) (*http.Server, error) {
	s := &site.Site{DB: h.db, Readers: h.list, Door: h.door, Shelf: h.queue, Pictures: h.desk, Proxies: h.cfg.Web.proxies(), Log: h.log}
	for i := range h.cfg.Newsletters {
		n := &h.cfg.Newsletters[i]
		s.Newsletters = append(s.Newsletters, &site.Newsletter{Newsletter: h.queue.Newsletters[n.ID],
			Tagline: n.Tagline, Lang: n.Lang, Looks: templates.Look(n.Templates)})
	}
	if err := s.Check(); err != nil {
		return nil, err
	}
	return &http.Server{
		Handler: s, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 10 * time.Second,
		WriteTimeout: 30 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}, nil
}

// proxies are the networks whose word about a request's origin counts. What
// listens on this machine alone is reached by others through a proxy on it.
func (w *Web) proxies() (out []netip.Prefix) {
	if w == nil {
		return nil
	}
	given := w.Proxies
	if host, _, err := net.SplitHostPort(w.Listen); err == nil && len(given) == 0 && loopback(host) {
		given = []string{"127.0.0.0/8", "::1"}
	}
	for _, s := range given {
		if p, err := network(s); err == nil { // checked when the file was read
			out = append(out, p)
		}
	}
	return out
}

// network reads an address or a network.
func network(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	return netip.ParsePrefix(s)
}
