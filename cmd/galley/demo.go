package main

import (
	"context"
	"crypto"
	"crypto/ed25519"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"galley/compose"
	"galley/inbox/inboxtest"
	"galley/send"
	"galley/send/list"
	"galley/send/message"
	"galley/send/sendtest"
	"galley/send/store"
)

// demoCmd is a newsletter being made by mail, on embedded parts.
type demoCmd struct {
	Stay    bool   `help:"Keep it running, and say how to join in with a mail program."`
	Dir     string `help:"Folder for its files (default: a new temporary one)." placeholder:"DIR" type:"path"`
	Readers int    `default:"200" help:"How many readers are on the list (${default})."`
	Log     bool   `help:"Show the daemon's own log too."`
}

// The demo's world. Nothing of it leaves 127.0.0.1.
const (
	demoMailbox  = "letter@quiet.example"
	demoEditor   = "ines@ines.example"
	demoPassword = "demo"
	demoSelector = "demo"
)

//go:embed demo/draft.md
var demoDraft []byte

// Run plays the demo to its end.
func (c *demoCmd) Run(e *env) error {
	d, err := c.open(e)
	if err != nil {
		return err
	}
	defer d.close()
	ctx, cancel := context.WithCancel(e.ctx)
	defer cancel()
	served := make(chan error, 1)
	go func() { served <- d.house.serve(ctx) }()
	err = d.play(ctx)
	if err == nil && c.Stay {
		d.invite()
		<-e.ctx.Done()
	}
	cancel()
	return errors.Join(err, <-served)
}

// demo is the world around one Galley: its mailbox server, the servers of
// its readers, and the people.
type demo struct {
	house *house
	imap  *inboxtest.Server
	sink  *sendtest.Sink
	key   crypto.Signer // the editor's provider signs with it
	dir   string
	ports struct{ imap, smtp, web string }
	out   io.Writer
	began time.Time
	mu    sync.Mutex
	stop  []func()
}

func (d *demo) close() {
	for i := len(d.stop) - 1; i >= 0; i-- {
		d.stop[i]()
	}
}

// say prints one line of the story with the seconds since it began.
func (d *demo) say(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	fmt.Fprintf(d.out, "%5.1fs  %s\n", time.Since(d.began).Seconds(), fmt.Sprintf(format, args...))
}

// show prints lines under the one before.
func (d *demo) show(text string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for line := range strings.Lines(strings.TrimRight(text, "\n") + "\n") {
		fmt.Fprint(d.out, "        | ", line)
	}
}

func (c *demoCmd) open(e *env) (*demo, error) {
	d := &demo{out: e.stdout, began: time.Now(), dir: c.Dir}
	err := d.build(e, c)
	if err != nil {
		d.close()
	}
	return d, err
}

func (d *demo) build(e *env, c *demoCmd) (err error) {
	if d.dir == "" {
		if d.dir, err = os.MkdirTemp("", "galley-demo-"); err != nil {
			return err
		}
	} else if err := os.MkdirAll(d.dir, 0o700); err != nil {
		return err
	}
	if _, d.key, err = ed25519.GenerateKey(nil); err != nil {
		return err
	}
	if err := d.servers(); err != nil {
		return err
	}
	cfg, err := d.config()
	if err != nil {
		return err
	}
	log := slog.New(slog.DiscardHandler)
	if c.Log {
		cfg.Log = Log{Level: "info", Addresses: true} // nobody real lives here
		log = cfg.logger(e.stderr, nil)
	}
	if d.house, err = build(e.ctx, cfg, log); err != nil {
		return err
	}
	d.stop = append(d.stop, func() { d.house.close() })
	d.house.dns, d.house.fetch = d.dns, demoPage
	return d.subscribe(e.ctx, c.Readers)
}

// servers starts the mailbox server and the SMTP server that stands for
// everybody else's.
func (d *demo) servers() error {
	d.imap = inboxtest.New(inboxtest.Options{Users: map[string]string{"letter": demoPassword, "ines": demoPassword}})
	d.stop = append(d.stop, func() { d.imap.Close() })
	addr, err := d.imap.Listen("127.0.0.1:0")
	if err != nil {
		return err
	}
	d.ports.imap = port(addr)
	d.sink, err = sendtest.Start("127.0.0.1:0", sendtest.Options{Auth: demoLogin})
	if err != nil {
		return err
	}
	d.stop = append(d.stop, func() { d.sink.Close() })
	d.ports.smtp = port(d.sink.Addr())
	d.sink.OnAccept(func(a sendtest.Accepted) { d.deliver(a) })
	web, err := net.Listen("tcp", "127.0.0.1:0") // a free port for the pages
	if err != nil {
		return err
	}
	d.ports.web = port(web.Addr().String())
	return web.Close()
}

func port(addr string) string { return addr[strings.LastIndexByte(addr, ':')+1:] }

func demoLogin(user, password string) error {
	if password != demoPassword || user != "letter" && user != "ines" {
		return errors.New("unknown user or wrong password")
	}
	return nil
}

// deliver is what the mail servers of this small world do with a message:
// into a mailbox, back to its sender, or to a reader's server, which the sink
// already is.
func (d *demo) deliver(a sendtest.Accepted) {
	raw := a.Octets
	if a.User == "ines" { // her provider signs what she sends, as all of them do
		signer := &message.Signer{Domain: "ines.example", Selector: demoSelector, Key: d.key}
		if field, err := signer.Sign(raw, a.Time); err == nil {
			raw = append(field, raw...)
		}
	}
	for _, to := range a.To {
		switch {
		case strings.HasSuffix(to, "@quiet.example"):
			d.put("letter", a, to, raw)
		case to == demoEditor:
			d.put("ines", a, to, raw)
		case strings.HasPrefix(to, "bounce+") && a.From != "":
			back := sendtest.DSN(a, to, sendtest.Failure{Status: "5.1.1", Diagnostic: "550 5.1.1 no such mailbox"})
			d.put("letter", sendtest.Accepted{Time: a.Time}, a.From, back)
		}
	}
}

// put lays a message into a mailbox, as a server does.
func (d *demo) put(user string, a sendtest.Accepted, to string, raw []byte) {
	head := fmt.Sprintf("Return-Path: <%s>\r\nDelivered-To: %s\r\nReceived: from [127.0.0.1] by mx.demo.example with ESMTP; %s\r\n",
		a.From, to, a.Time.Format(time.RFC1123Z))
	if err := d.imap.Deliver(user, append([]byte(head), raw...)); err != nil {
		d.say("the mailbox of %s refused a message: %v", user, err)
	}
}

// demoPage stands for the pages of the world outside, which the demo leaves
// alone.
func demoPage(context.Context, string) (compose.LinkPage, error) {
	return compose.LinkPage{Title: "What to Write on the Back of a Binder", Author: "Noor Haddad", Site: "Paper Trails"}, nil
}

// dns answers for the domain of the editor's provider.
func (d *demo) dns(ctx context.Context, name string) ([]string, error) {
	if strings.TrimSuffix(name, ".") == demoSelector+"._domainkey.ines.example" {
		return []string{message.TXT(d.key)}, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

// config is the configuration that a newcomer would write, with two keys for
// signing.
func (d *demo) config() (*Config, error) {
	var dkim strings.Builder
	rsaKey, edKey, err := message.GenerateKeys()
	if err != nil {
		return nil, err
	}
	for kind, key := range map[string]crypto.Signer{"rsa": rsaKey, "ed25519": edKey} {
		pem, err := message.FormatKey(key)
		if err != nil {
			return nil, err
		}
		file := filepath.Join(d.dir, "dkim-"+kind+".pem")
		if err := os.WriteFile(file, pem, 0o600); err != nil {
			return nil, err
		}
		fmt.Fprintf(&dkim, "[[dkim]]\ndomain = \"quiet.example\"\nselector = %q\nkey_file = %q\n\n", kind, filepath.Base(file))
	}
	text := fmt.Sprintf(demoConfig, d.ports.web, d.ports.web, d.ports.smtp, demoPassword, dkim.String(), demoMailbox, demoEditor, d.ports.imap, demoPassword)
	path := filepath.Join(d.dir, "galley.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return nil, err
	}
	return Load(path)
}

const demoConfig = `[web]
listen = "127.0.0.1:%s"
url = "http://127.0.0.1:%s"

[smtp]
host = "127.0.0.1"
port = %s
security = "plain"
user = "letter"
password = %q
connections = 10

%s[[newsletter]]
id = "quiet"
name = "Quiet Machines"
tagline = "For those who look after computers where that is nobody's job"
address = %q
postal_address = "Quiet Machines, 3 Harbour Lane, Example Town"
editors = ["Ines Moreau <%s>"]
approve = "code"
grace = "0s"

[newsletter.imap]
host = "127.0.0.1"
port = %s
security = "plain"
user = "letter"
password = %q
`

// fates are the readers whose mail goes wrong on purpose: the first part of
// the local part tells the sink what to do with it.
var fates = []string{"550", "550", "550", "greylist", "greylist", "451", "bounce", "bounce", "drop", "full"}

// subscribe puts n readers on the list; every tenth is one of the fates.
func (d *demo) subscribe(ctx context.Context, n int) error {
	return d.house.db.Update(ctx, func(tx *store.Tx) error {
		for i := range n {
			local := fmt.Sprintf("reader%03d", i+1)
			if i%10 == 9 && i/10 < len(fates) {
				local = fates[i/10] + "+" + local
			}
			a, err := list.ParseAddress(local + "@readers.example")
			if err != nil {
				return err
			}
			if _, _, err := d.house.list.Add(ctx, tx, "quiet", a, "", tx.Now(), "demo"); err != nil {
				return err
			}
		}
		return nil
	})
}

// issue is the run of the demo's issue, nil before it was approved.
func (d *demo) issue(ctx context.Context) (run *send.Run, err error) {
	err = d.house.db.View(ctx, func(tx *store.Tx) error {
		run, err = d.house.queue.Progress(ctx, tx, "quiet", 12)
		return err
	})
	return run, err
}
