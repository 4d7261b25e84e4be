package main

import (
	"context"
	"net"
	"net/http"
	"time"

	"galley/send/site"
	"galley/templates"
)

// web builds the server of the pages. Its limits are those of trust.md
// section 5.
func (h *house) web(ctx context.Context) (*http.Server, error) {
	s := &site.Site{DB: h.db, Readers: h.list, Shelf: h.queue, Pictures: h.desk, Log: h.log}
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
