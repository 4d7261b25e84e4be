package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"galley/inbox"
	"galley/inbox/mailbox"
	"galley/send"
)

// inspectCmd says what the inbox makes of mail files.
type inspectCmd struct {
	Files []string `arg:"" name:"file" help:"Mails as they lie in a mailbox, one a file; - is the standard input."`
	As    string   `enum:"mail,text,html" default:"mail" help:"What the files hold: a mail, or a bare reply body as text or html (${default})."`
	DNS   string   `type:"existingfile" placeholder:"KEYS.json" help:"Answers DNS TXT questions from this JSON object of name to record, so that signatures can be judged off-line."`
	Now   string   `placeholder:"TIME" help:"The instant at which time windows are judged, RFC 3339 (default: the message's own Date)."`
}

// Run prints one JSON object a file. A file that cannot be read is an object
// with "error", and makes the exit code 1.
func (c *inspectCmd) Run(e *env) error {
	x, err := c.inspector(e)
	if err != nil {
		return err
	}
	enc := json.NewEncoder(e.stdout)
	enc.SetEscapeHTML(false)
	faults := false
	for _, path := range c.Files {
		r := c.file(e, x, path)
		faults = faults || r.Error != ""
		if err := enc.Encode(r); err != nil {
			return err
		}
	}
	if faults {
		return errFaults
	}
	return nil
}

func (c *inspectCmd) inspector(e *env) (*inbox.Inspector, error) {
	x := &inbox.Inspector{DNS: lookupTXT(resolver(""))}
	if c.DNS != "" {
		records, err := readRecords(c.DNS)
		if err != nil {
			return nil, err
		}
		x.DNS = records.lookup
	}
	if c.Now != "" {
		now, err := time.Parse(time.RFC3339, c.Now)
		if err != nil {
			return nil, fmt.Errorf("--now: %w; write it as 2026-07-09T09:00:00Z", err)
		}
		x.Now = now
	}
	if !e.configured() {
		return x, nil
	}
	cfg, err := Load(e.config)
	if err != nil {
		return nil, err
	}
	n := &cfg.Newsletters[0]
	x.Newsletter = n.inbox(n.press(cfg, send.Keys{}, nil)) // without the books no token is valid
	x.Newsletter.Keys, err = n.keys()
	return x, err
}

// file inspects one file. A panic in a parser is this file's error and not
// the end of the run.
func (c *inspectCmd) file(e *env, x *inbox.Inspector, path string) (r *inbox.Inspection) {
	defer func() {
		if p := recover(); p != nil {
			r = &inbox.Inspection{File: path, Error: fmt.Sprintf("reading it failed: %v", p)}
		}
	}()
	data, err := readMail(e.stdin, path)
	if err != nil {
		return &inbox.Inspection{File: path, Error: err.Error()}
	}
	if c.As != "mail" {
		r = x.Body(string(data), c.As)
	} else {
		r = x.Mail(e.ctx, data)
	}
	r.File = path
	return r
}

// readMail reads a file, and no more of it than shows that it is too large for
// a mail.
func readMail(stdin io.Reader, path string) ([]byte, error) {
	from := stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		from = f
	}
	return io.ReadAll(io.LimitReader(from, mailbox.DefaultMaxSize+1))
}

// records answers questions for TXT records from a file.
type records map[string]string

func readRecords(path string) (records, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	raw := records{}
	if err := json.Unmarshal(data, &raw); err != nil {
		return nil, fmt.Errorf("%s: %w; it is to be an object of name to record", path, err)
	}
	out := records{}
	for name, record := range raw {
		out[plainName(name)] = record
	}
	return out, nil
}

func plainName(name string) string { return strings.TrimSuffix(strings.ToLower(name), ".") }

func (r records) lookup(_ context.Context, name string) ([]string, error) {
	if record, ok := r[plainName(name)]; ok {
		return []string{record}, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}
