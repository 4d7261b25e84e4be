package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"galley/send/sendtest"
)

// benchYard is the half of a comparison that sends with the go-smtp client, in
// a process of its own.
type benchYard struct {
	Next   string `required:""`
	Lines  int    `required:""`
	Copies int    `required:""`
	File   string `required:""`
}

// Run sends and says nothing.
func (y *benchYard) Run(*env) error {
	msg, err := os.ReadFile(y.File)
	if err != nil {
		return err
	}
	return sendtest.Yardstick(y.Next, msg, y.Copies, y.Lines)
}

// benchRatios is Galley beside others in the same alternating run: medians.
type benchRatios struct {
	Rounds  int           `json:"rounds"`
	Galley  benchSpeed    `json:"galley"`
	Client  benchSpeed    `json:"go_smtp"`
	Source  *benchSpeed   `json:"smtp_source,omitempty"` // nil where it is not installed
	Figures *benchFigures `json:"figures"`               // of Galley's last round
}

// benchSpeed is what one sender makes.
type benchSpeed struct {
	PerSecond float64 `json:"per_second"`
	CPU       float64 `json:"cpu_us"` // a message
}

// against measures Galley and others in turn. The others keep no books, write
// the same octets every time, and sign nothing.
func (c *benchCmd) against(e *env) error {
	r := &benchRatios{Rounds: c.Against}
	var ours, client, source []benchSpeed
	for range c.Against {
		f, err := c.round(e)
		if err != nil {
			return err
		}
		r.Figures = f
		ours = append(ours, benchSpeed{f.PerSecond, f.CPU})
		some, err := c.others(e)
		if err != nil {
			return err
		}
		client = append(client, some[0])
		source = append(source, some[1:]...)
	}
	r.Galley, r.Client = medianSpeed(ours), medianSpeed(client)
	if len(source) > 0 {
		s := medianSpeed(source)
		r.Source = &s
	}
	if c.JSON {
		return json.NewEncoder(e.stdout).Encode(r)
	}
	_, err := io.WriteString(e.stdout, r.Figures.String()+r.String())
	return err
}

// round is one measurement of Galley, in a world of its own.
func (c *benchCmd) round(e *env) (*benchFigures, error) {
	b := &bench{benchCmd: c, env: e}
	defer b.close()
	if err := b.build(); err != nil {
		return nil, err
	}
	if err := b.send(); err != nil {
		return nil, err
	}
	return b.figures()
}

// others are the go-smtp client and, where it is installed, Postfix's
// smtp-source, each against a next hop of its own.
func (c *benchCmd) others(e *env) (all []benchSpeed, err error) {
	dir, err := os.MkdirTemp("", "galley-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	msg := c.sampleCopy()
	crlf, lf := filepath.Join(dir, "copy.eml"), filepath.Join(dir, "copy.txt")
	if err := os.WriteFile(crlf, msg, 0o600); err != nil {
		return nil, err
	}
	if err := os.WriteFile(lf, bytes.ReplaceAll(msg, []byte("\r\n"), []byte("\n")), 0o644); err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	lines, copies := strconv.Itoa(c.Connections), strconv.Itoa(c.Recipients)
	ways := [][]string{{self, "bench", "yard", "--lines", lines, "--copies", copies, "--file", crlf, "--next"}}
	for _, path := range []string{"/usr/sbin/smtp-source", "/usr/local/sbin/smtp-source"} {
		if _, err := os.Stat(path); err == nil {
			ways = append(ways, []string{path, "-d", "-s", lines, "-m", copies, "-F", lf, "-M", "bench.example", "-f", benchFrom, "-t", "reader@bench.example"})
			break
		}
	}
	for _, way := range ways {
		s, err := c.other(e, way)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// other runs one of the others, whose last argument is the next hop's address.
func (c *benchCmd) other(e *env, way []string) (benchSpeed, error) {
	var mu sync.Mutex
	var first, last time.Time
	sink, err := sendtest.Start("127.0.0.1:0", sendtest.Options{Keep: sendtest.KeepCounts, Delay: c.Delay, OnAccept: func(sendtest.Accepted) {
		mu.Lock()
		defer mu.Unlock()
		if last = time.Now(); first.IsZero() {
			first = last
		}
	}})
	if err != nil {
		return benchSpeed{}, err
	}
	defer sink.Close()
	cmd := exec.CommandContext(e.ctx, way[0], append(way[1:], sink.Addr())...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return benchSpeed{}, fmt.Errorf("bench: %s: %w\n%s", filepath.Base(way[0]), err, out)
	}
	n := sink.Stats().Messages
	if n != int64(c.Recipients) {
		return benchSpeed{}, fmt.Errorf("bench: %s: %d of %d messages arrived", filepath.Base(way[0]), n, c.Recipients)
	}
	cpu := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return benchSpeed{float64(n) / max(last.Sub(first).Seconds(), 1e-6), float64(cpu.Nanoseconds()) / 1e3 / float64(n)}, nil
}

// sampleCopy is a message of the size of a copy.
func (c *benchCmd) sampleCopy() []byte {
	const line = "=E2=80=94 some words =E2=80=94 some words =E2=80=94 some words and more.\r\n"
	return []byte("From: " + benchFrom + "\r\nTo: reader@bench.example\r\nSubject: #1 Bench\r\n\r\n" + strings.Repeat(line, c.Size*1000/len(line)+1))
}

func medianSpeed(all []benchSpeed) (m benchSpeed) {
	slices.SortFunc(all, func(a, b benchSpeed) int { return int(a.CPU - b.CPU) })
	m.CPU = all[len(all)/2].CPU
	slices.SortFunc(all, func(a, b benchSpeed) int { return int(a.PerSecond - b.PerSecond) })
	m.PerSecond = all[len(all)/2].PerSecond
	return m
}

// String is the comparison for a person.
func (r *benchRatios) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\nIn turn with others, which keep no books; the middle of %d:\n\n", r.Rounds)
	tell := func(name string, s benchSpeed) {
		fmt.Fprintf(&b, "  %-12s %6.0f messages a second, %.0f µs of processor each", name, s.PerSecond, s.CPU)
		if s != r.Galley {
			fmt.Fprintf(&b, "; Galley has %.2f times the speed and %.2f of the cost", r.Galley.PerSecond/s.PerSecond, r.Galley.CPU/s.CPU)
		}
		b.WriteByte('\n')
	}
	tell("galley", r.Galley)
	tell("go-smtp", r.Client)
	if r.Source != nil {
		tell("smtp-source", *r.Source)
	}
	return b.String()
}
