package main

import (
	"context"
	"net"
	"net/http"
	"time"
)

// web builds the server of the pages. Its limits are those of trust.md
// section 5.
func (h *house) web(ctx context.Context) *http.Server {
	return &http.Server{
		Handler: h.site(), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 10 * time.Second,
		WriteTimeout: 30 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
}
