package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/net/netutil"

	"galley/compose"
	"galley/compose/probe"
	"galley/send"
	"galley/send/store"
)

// maxWebConnections is how many people the pages answer at once
// (trust.md section 5).
const maxWebConnections = 1000

// serveCmd is the daemon.
type serveCmd struct {
	Parts string `default:"all" enum:"all,send" help:"What this machine does: all, or send alone, beside another that does all, over PostgreSQL (galley help machines)."`
}

// Run serves until it is told to stop.
func (c serveCmd) Run(e *env) error {
	cfg, err := Load(e.config)
	if err != nil {
		return err
	}
	frugal()
	syscall.Umask(0o077) // what the daemon makes is nobody else's to read
	release, err := lock(cfg.Data)
	if err != nil {
		return err
	}
	defer release()
	key, err := LoadKey(cfg.Data)
	if err != nil {
		return err
	}
	h, err := build(e.ctx, cfg, cfg.logger(e.stderr, key))
	if err != nil {
		return err
	}
	defer h.close()
	if c.Parts == partsSend {
		return h.serveSend(e.ctx)
	}
	if cfg.CheckLinks {
		prober := &probe.Prober{Agent: agent(cfg)}
		h.desk.Prober = prober
		h.fetch = func(ctx context.Context, url string) (compose.LinkPage, error) {
			page, err := prober.Page(ctx, url)
			return compose.LinkPage(page), err
		}
	}
	if cfg.CheckDNS {
		h.queue.Fit = h.fit
	}
	return h.serve(e.ctx)
}

// thisProcess names the process to the operator of another one.
func thisProcess() string {
	host, _ := os.Hostname() // without it the number has to do
	return strings.TrimSpace(fmt.Sprintf("galley, process %d on %s", os.Getpid(), host))
}

// agent is how Galley introduces itself to the servers that links lead to.
func agent(cfg *Config) string {
	if host := cfg.host(); host != "" {
		return "Galley (link check; +" + host + ")"
	}
	return "Galley (link check)"
}

// serve runs every part until ctx ends. What is under way then is finished
// or left in the books; a delivery whose body has begun is waited for.
func (h *house) serve(ctx context.Context) error {
	var err error
	if h.sole, err = h.db.Sole(ctx, thisProcess()); err != nil {
		return err
	}
	parts, closeWeb, err := h.parts(ctx)
	if err != nil {
		return err
	}
	defer closeWeb()
	var beside sync.WaitGroup
	defer beside.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	beside.Go(func() { h.tellReady(ctx) })
	defer notify("STOPPING=1")
	return supervise(ctx, h.log, parts)
}

// readyTime is how long a mailbox that does not answer holds back the word
// that the daemon is ready: less than the 90 s that systemd waits for it.
const readyTime = 30 * time.Second

// tellReady says that the daemon is ready once it has looked into every
// mailbox, and names those that it did not get to see: what comes into them is
// found when they are back.
func (h *house) tellReady(ctx context.Context) {
	timer := time.NewTimer(readyTime)
	defer timer.Stop()
	var names, unseen []string
	late := false
	for i, n := range h.cfg.Newsletters {
		if !late {
			select {
			case <-h.boxes[i].Looked():
			case <-timer.C:
				late = true
			case <-ctx.Done():
				return
			}
		}
		names = append(names, n.Address.String())
		if h.boxes[i].Status().Seen.IsZero() {
			unseen = append(unseen, n.Address.String())
		}
	}
	args := []any{"mailboxes", strings.Join(names, " "), "web", h.cfg.host()}
	if len(unseen) > 0 {
		args = append(args, "out_of_reach", strings.Join(unseen, " "))
	}
	h.log.Info("ready", args...)
	notify("READY=1")
}

// partsSend is a machine that sends and does nothing else.
const partsSend = "send"

// serveSend runs the queue alone, until ctx ends.
func (h *house) serveSend(ctx context.Context) error {
	if h.db.Dialect() == store.SQLite {
		return errors.New("serve --parts send is for further machines on the same books, and SQLite's books have one; name a PostgreSQL database in the configuration (galley help machines)")
	}
	h.log.Info("ready", "parts", partsSend)
	notify("READY=1")
	defer notify("STOPPING=1")
	return supervise(ctx, h.log, []daemonPart{{"send", h.runQueue}, {"watchdog", h.watch}})
}

// parts lists the loops of the daemon, back to front.
func (h *house) parts(ctx context.Context) ([]daemonPart, func(), error) {
	parts := []daemonPart{{"send", h.runQueue}, {"desk", h.desk.Run}, {"door", h.door.Run}, {"records", h.keepRecords}, {"watchdog", h.watch}, {"sole", h.keepSole}}
	if h.fetch != nil {
		parts = append(parts, daemonPart{"pages", func(ctx context.Context) error { return h.desk.FetchPages(ctx, h.fetch) }})
	}
	for _, in := range h.inboxes {
		parts = append(parts, daemonPart{"inbox " + in.Newsletter.ID, in.Run})
	}
	for _, k := range h.keepers {
		if k.watched() {
			h.queue.Withhold()
		}
		parts = append(parts, daemonPart{"sent " + k.newsletter, k.run})
	}
	if h.cfg.Web == nil {
		return parts, func() {}, nil
	}
	srv, err := h.web(ctx)
	if err != nil {
		return nil, nil, err
	}
	l, err := net.Listen("tcp", h.cfg.Web.Listen)
	if err != nil {
		return nil, nil, fmt.Errorf("web.listen: %w", err)
	}
	l = netutil.LimitListener(l, maxWebConnections)
	parts = append(parts, daemonPart{"web", func(ctx context.Context) error { return runWeb(ctx, srv, l) }})
	return parts, func() { srv.Close() }, nil
}

// runQueue ends the whole daemon when another one has taken what it had claimed,
// and when its key is another one than the other machines'.
func (h *house) runQueue(ctx context.Context) error {
	if err := h.queue.Arrive(ctx, h.machine); err != nil {
		return err
	}
	err := h.queue.Run(ctx)
	if errors.Is(err, send.ErrFenced) || errors.Is(err, send.ErrKey) {
		return fmt.Errorf("%w: %w", errFatal, err)
	}
	return err
}

// keepSole ends the daemon when another one has taken the books over, while
// the database was out of reach for this one.
func (h *house) keepSole(ctx context.Context) error {
	if err := h.sole.KeepSole(ctx); err != nil {
		return fmt.Errorf("%w: %w", errFatal, err)
	}
	return ctx.Err()
}

// watch feeds systemd's watchdog as long as the books answer.
func (h *house) watch(ctx context.Context) error {
	tick := time.NewTicker(10 * time.Second)
	defer tick.Stop()
	for {
		if err := h.db.Ping(ctx); err == nil {
			notify("WATCHDOG=1")
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

func runWeb(ctx context.Context, srv *http.Server, l net.Listener) error {
	stop := context.AfterFunc(ctx, func() {
		end, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		srv.Shutdown(end)
	})
	defer stop()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return ctx.Err()
}
