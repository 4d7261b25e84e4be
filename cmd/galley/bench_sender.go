package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"galley/send"
	"galley/send/list"
	"galley/send/relay"
	"galley/send/store"
)

// benchSender is the half of a bench that sends, in a process of its own: what
// it costs is its own, and it can be killed.
type benchSender struct {
	Books       string `required:""`
	Next        string `required:""`
	Connections int    `required:"" name:"lines"`
	Keys        string `required:""`
	Window      int    `default:"1" name:"at-once"`
}

// senderFigures is what a sender that came to its end says of itself.
type senderFigures struct {
	Sent    int           `json:"sent"`
	Took    time.Duration `json:"took_ns"`
	Mallocs uint64        `json:"mallocs"`
	Making  time.Duration `json:"making_ns"`
	Wire    time.Duration `json:"wire_ns"`
	Books   time.Duration `json:"books_ns"`
	Waiting time.Duration `json:"waiting_ns"`
	Results int64         `json:"results"`
	Commits int64         `json:"commits"`
	Peak    int64         `json:"peak"` // octets of memory

	CPU time.Duration `json:"-"` // told by the system
}

// Run sends what the books hold and writes its figures to the standard output.
func (s *benchSender) Run(e *env) error {
	db, err := store.Open(e.ctx, s.Books)
	if err != nil {
		return err
	}
	defer db.Close()
	n, err := benchNewsletter(s.Keys)
	if err != nil {
		return err
	}
	q := &send.Queue{DB: db, Readers: &list.List{Key: benchKey}, Newsletters: map[string]*send.Newsletter{n.ID: n}, Connections: s.Connections,
		Courier: &relay.Relay{Addr: s.Next, Security: relay.InsecurePlain, Hello: "bench.example", Window: s.Window}, Spent: &send.Spent{},
		Log: slog.New(slog.NewTextHandler(e.stderr, nil))}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f := senderFigures{}
	if f.Sent, f.Took, err = sendBench(e.ctx, q); err != nil {
		return err
	}
	runtime.ReadMemStats(&after)
	t := q.Spent
	f.Mallocs, f.Results, f.Commits = after.Mallocs-before.Mallocs, t.Results.Load(), t.Commits.Load()
	f.Peak = peakMemory()
	f.Making, f.Wire, f.Books, f.Waiting = t.Making.Total(), t.Wire.Total(), t.Books.Total(), t.Waiting.Total()
	return json.NewEncoder(e.stdout).Encode(f)
}

// sendBench runs a queue until its one issue is done and tells how many got it
// and how long that took, from the first claim to the last result.
func sendBench(ctx context.Context, q *send.Queue) (sent int, took time.Duration, err error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	began := time.Now()
	go func() { ended <- q.Run(ctx) }()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			return 0, 0, fmt.Errorf("the queue ended before its work: %w", err)
		case <-tick.C:
		}
		if over, err := benchOver(ctx, q); err != nil {
			return 0, 0, err
		} else if !over {
			continue
		}
		r, err := benchRun(ctx, q)
		if err != nil {
			return 0, 0, err
		}
		if r.Final() {
			stop()
			if r.Started.After(began) {
				began = r.Started
			}
			return r.Counts[send.Sent], r.Ended.Sub(began), <-ended
		}
	}
}

// benchOver tells that the issue may be done. It looks at one row: to count a
// million deliveries ten times a second would be most of what is measured.
func benchOver(ctx context.Context, q *send.Queue) (over bool, err error) {
	err = q.DB.View(ctx, func(tx *store.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT NOT EXISTS (SELECT 1 FROM edition WHERE state <> 'done')`).Scan(&over)
	})
	return over, err
}

func benchRun(ctx context.Context, q *send.Queue) (r *send.Run, err error) {
	err = q.DB.View(ctx, func(tx *store.Tx) error {
		if r, err = q.Progress(ctx, tx, benchID, 1); err == nil && r == nil {
			err = fmt.Errorf("bench: the books hold no issue")
		}
		return err
	})
	return r, err
}

// sender is a started benchSender.
type sender struct {
	cmd        *exec.Cmd
	out        bytes.Buffer
	complaints bytes.Buffer
	ended      chan error
}

func (b *bench) start(ctx context.Context) (*sender, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s := &sender{ended: make(chan error, 1)}
	s.cmd = exec.CommandContext(ctx, self, "bench", "sender", "--books", b.books, "--next", b.next,
		"--lines", strconv.Itoa(b.Connections), "--keys", b.keyFile(), "--at-once", strconv.Itoa(b.Window))
	s.cmd.Stdout, s.cmd.Stderr = &s.out, &s.complaints
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { s.ended <- s.cmd.Wait() }()
	return s, nil
}

// kill ends a sender as a power cut would, and waits until it is gone.
func (s *sender) kill() error {
	if err := s.cmd.Process.Kill(); err != nil {
		return err
	}
	<-s.ended
	return nil
}

// figures reads what an ended sender has said, and what it has cost.
func (s *sender) figures() senderFigures {
	var f senderFigures
	if err := json.Unmarshal(s.out.Bytes(), &f); err != nil {
		return f
	}
	f.CPU = s.cmd.ProcessState.UserTime() + s.cmd.ProcessState.SystemTime()
	return f
}

// peakMemory is how much memory this process has had at most. Linux tells it in
// a file (proc(5)); its getrusage would give that of the process which started
// this one, when it was more.
func peakMemory() int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err == nil {
		_, rest, _ := strings.Cut(string(status), "VmHWM:")
		if f := strings.Fields(rest); len(f) > 0 {
			kib, _ := strconv.ParseInt(f[0], 10, 64)
			return kib << 10
		}
	}
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return usage.Maxrss
}
