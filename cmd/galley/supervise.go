package main

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// daemonPart is one of the loops that make up the daemon.
type daemonPart struct {
	name string
	run  func(context.Context) error
}

// backoff bounds the pause before a part that failed is started again.
const (
	backoffFirst = time.Second
	backoffLast  = 5 * time.Minute
)

// errFatal marks a fault that a restart of the part cannot mend.
var errFatal = errors.New("fatal")

// supervise runs the parts until ctx ends, and starts again each that fails,
// after a pause that grows and is jittered. A fatal fault ends them all.
func supervise(ctx context.Context, log *slog.Logger, parts []daemonPart) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	for _, p := range parts {
		wg.Go(func() { keep(ctx, cancel, log, p) })
	}
	wg.Wait()
	if err := context.Cause(ctx); errors.Is(err, errFatal) {
		return err
	}
	return nil
}

func keep(ctx context.Context, cancel context.CancelCauseFunc, log *slog.Logger, p daemonPart) {
	pause := backoffFirst
	for ctx.Err() == nil {
		began := time.Now()
		err := p.run(ctx)
		if ctx.Err() != nil {
			return
		}
		if errors.Is(err, errFatal) {
			cancel(fmt.Errorf("%s: %w", p.name, err))
			return
		}
		if time.Since(began) > backoffLast {
			pause = backoffFirst
		}
		wait := pause/2 + scatter(pause, p.name, began)
		log.Error("a part failed and is started again", "part", p.name, "error", err, "in", wait.Round(time.Millisecond).String())
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
		pause = min(2*pause, backoffLast)
	}
}

// scatter gives up to d. What failed and when decide, so that parts and machines
// do not come back together, and a simulation, whose clock is its own, plays
// again.
func scatter(d time.Duration, name string, began time.Time) time.Duration {
	h := fnv.New64a()
	fmt.Fprint(h, name, began.UnixNano())
	return time.Duration(h.Sum64() % uint64(d))
}

// notify tells systemd how the daemon is (sd_notify(3)); without systemd it
// does nothing.
func notify(state string) {
	addr := os.Getenv("NOTIFY_SOCKET")
	if addr == "" {
		return
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: addr, Net: "unixgram"})
	if err != nil {
		return
	}
	defer conn.Close()
	conn.Write([]byte(state))
}

// lock takes the data folder for this process. Two daemons on one folder
// would send every issue twice, so the second is told who holds it.
func lock(data string) (release func(), err error) {
	path := filepath.Join(data, "galley.lock")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer f.Close()
		held := make([]byte, 20)
		n, _ := f.Read(held)
		return nil, fmt.Errorf("%s is in use by process %s; stop that one first", data, strings.TrimSpace(string(held[:n])))
	}
	if err := f.Truncate(0); err != nil {
		f.Close()
		return nil, err
	}
	if _, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0); err != nil {
		f.Close()
		return nil, err
	}
	return func() { f.Close() }, nil // closing gives the lock back
}
