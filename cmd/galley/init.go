package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"

	"galley/send/list"
	"galley/send/message"
)

// initCmd writes a configuration. What is not said by a flag is asked for, on
// a terminal or a pipe alike.
type initCmd struct {
	Name     string `help:"The newsletter's name."`
	Address  string `help:"Its address: the mailbox it lives in."`
	Editor   string `help:"Who sends drafts, as in \"Name <name@example.org>\"."`
	ID       string `name:"id" help:"A short name for ever; made of the name."`
	Postal   string `help:"The postal address at the foot of each issue."`
	IMAP     string `name:"imap" placeholder:"HOST[:PORT]" help:"The mailbox server; guessed by the address."`
	SMTP     string `name:"smtp" placeholder:"HOST[:PORT]" help:"The server that takes mail; guessed by the address."`
	User     string `help:"The login at both; the address."`
	URL      string `name:"url" help:"The web address of the archive, as in https://rct.example."`
	Slot     string `placeholder:"\"DAY TIME ZONE\"" help:"When an issue goes, as in \"saturday 09:00 America/Toronto\"."`
	Selector string `default:"galley" help:"The DKIM records' name: SELECTOR-rsa and SELECTOR-ed25519."`
	Resolver string `placeholder:"HOST:PORT" help:"Ask this DNS server and not the system's."`
	JSON     bool   `help:"Answer in JSON."`
}

//go:embed init.toml
var initText string

// record is one line for the DNS.
type record struct {
	Name  string `json:"name"`
	Type  string `json:"type"`
	Value string `json:"value"`
	Why   string `json:"why"`
}

// founding is what init has made.
type founding struct {
	Config  string   `json:"config"`
	Files   []string `json:"files"`
	Records []record `json:"records"`
	Tips    []string `json:"tips"`
}

// Run asks, writes everything or nothing, and says what is left to do.
func (c *initCmd) Run(e *env) error {
	config, err := filepath.Abs(e.config)
	if err != nil {
		return err
	}
	files := []string{config}
	for _, name := range []string{"mail.password", "dkim-rsa.pem", "dkim-ed25519.pem"} {
		files = append(files, filepath.Join(filepath.Dir(config), name))
	}
	if err := vacant(files); err != nil {
		return err
	}
	if err := c.ask(e); err != nil {
		return err
	}
	p, given, err := c.complete(e.ctx)
	if err != nil {
		return err
	}
	out := founding{Config: config}
	if err := c.write(&out, files, given); err != nil {
		return err
	}
	c.advise(e.ctx, &out, p, given)
	if c.JSON {
		return json.NewEncoder(e.stdout).Encode(out)
	}
	return out.tell(e)
}

// vacant refuses to touch what is there: a key that is gone takes every
// signature with it.
func vacant(files []string) error {
	var there []string
	for _, f := range files {
		if _, err := os.Lstat(f); err == nil {
			there = append(there, f)
		}
	}
	if len(there) == 0 {
		return nil
	}
	return fmt.Errorf("%s: already there, and init overwrites nothing; take another folder with --config DIR/galley.toml", strings.Join(there, ", "))
}

// asker puts questions to whoever is at the other end.
type asker struct {
	in  *bufio.Reader
	out io.Writer
}

// line asks until a good answer comes; an empty one is the standard.
func (a *asker) line(question, standard string, good func(string) error) (string, error) {
	if standard != "" {
		question += " [" + standard + "]"
	}
	for {
		fmt.Fprint(a.out, question+": ")
		line, err := a.in.ReadString('\n')
		if err != nil && line == "" {
			fmt.Fprintln(a.out)
			return "", err
		}
		text := cmp.Or(strings.TrimSpace(line), standard)
		fault := good(text)
		if fault == nil {
			return text, nil
		}
		fmt.Fprintln(a.out, "  "+fault.Error())
		if err != nil {
			return "", err
		}
	}
}

// ask puts the questions whose answers no flag gave. With all that is needed
// given, nothing is asked.
func (c *initCmd) ask(e *env) error {
	for _, f := range []struct {
		flag, text string
		good       func(string) error
	}{{"address", c.Address, goodAddress}, {"editor", c.Editor, goodPerson}, {"slot", c.Slot, goodSlot}, {"url", c.URL, goodURL}} {
		if f.text == "" {
			continue
		}
		if err := f.good(f.text); err != nil {
			return fmt.Errorf("--%s: %w", f.flag, err)
		}
	}
	if c.Name != "" && c.Address != "" && c.Editor != "" {
		return nil
	}
	a := &asker{bufio.NewReader(e.stdin), e.stderr}
	fmt.Fprintln(e.stderr, "Return takes what stands in [brackets].")
	for _, q := range []struct {
		into     *string
		question string
		good     func(string) error
	}{
		{&c.Name, "The newsletter's name", needed},
		{&c.Address, "Its address, the mailbox it lives in", goodAddress},
		{&c.Editor, "The editor, as Name <name@example.org>", goodPerson},
		{&c.Postal, "Postal address at the foot of issues (none: leave empty)", anything},
		{&c.Slot, "When issues go, as saturday 09:00 Europe/Berlin (no fixed time: leave empty)", goodSlot},
		{&c.URL, "Web address of the archive, as https://rct.example (none: leave empty)", goodURL},
	} {
		if *q.into != "" {
			continue
		}
		text, err := a.line(q.question, "", q.good)
		if err != nil {
			return fmt.Errorf("the answers ended early (%w); give --name, --address and --editor, and nothing is asked", err)
		}
		*q.into = text
	}
	return c.askServers(e.ctx, a)
}

func (c *initCmd) askServers(ctx context.Context, a *asker) error {
	_, domain, _ := strings.Cut(c.Address, "@")
	p, _ := guess(ctx, resolver(c.Resolver), strings.ToLower(domain))
	for _, q := range []struct {
		into               *string
		question, standard string
	}{{&c.IMAP, "Mailbox server (IMAP)", p.imap}, {&c.SMTP, "Server that takes mail (SMTP)", p.smtp}, {&c.User, "Login at both", c.Address}} {
		if *q.into != "" {
			continue
		}
		text, err := a.line(q.question, q.standard, needed)
		if err != nil {
			return fmt.Errorf("the answers ended early (%w)", err)
		}
		*q.into = text
	}
	return nil
}

func anything(string) error { return nil }

func needed(s string) error {
	if s == "" {
		return errors.New("this one is needed")
	}
	return nil
}

func goodAddress(s string) error {
	_, err := list.ParseAddress(s)
	return err
}

func goodPerson(s string) error {
	var p Person
	return p.UnmarshalText([]byte(s))
}

func goodURL(s string) error {
	if s == "" || strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://127.0.0.1") {
		return nil
	}
	return errors.New("write it with https://")
}

// goodSlot wants a weekday, a time and a zone, which the configuration reads.
func goodSlot(s string) error {
	if s == "" {
		return nil
	}
	words := strings.Fields(s)
	if len(words) != 3 {
		return errors.New(`write weekday, time and zone, as in "saturday 09:00 Europe/Berlin"`)
	}
	var slot Slot
	return errors.Join(slot.Weekday.UnmarshalText([]byte(words[0])), slot.Time.UnmarshalText([]byte(words[1])), slot.Zone.UnmarshalText([]byte(words[2])))
}

// complete fills in what can be guessed.
func (c *initCmd) complete(ctx context.Context) (provider, bool, error) {
	addr, err := list.ParseAddress(c.Address)
	if err != nil {
		return provider{}, false, err
	}
	p, given := guess(ctx, resolver(c.Resolver), addr.Domain())
	fill(&c.IMAP, p.imap)
	fill(&c.SMTP, p.smtp)
	fill(&c.User, c.Address)
	if c.ID == "" {
		c.ID = shortName(c.Name)
	}
	return p, given, nil
}

var noIdent = regexp.MustCompile(`[^a-z0-9]+`)

// shortName makes an id of a name: "Research Computing Teams" is
// research-computing-teams.
func shortName(name string) string {
	s := strings.Trim(noIdent.ReplaceAllString(strings.ToLower(name), "-"), "-")
	s = strings.Trim(s[:min(len(s), 32)], "-")
	return cmp.Or(s, "letter")
}

// write makes the folder and every file, and loads what it has written. What
// it made is taken away again when something fails.
func (c *initCmd) write(out *founding, files []string, given bool) (err error) {
	text, err := c.config(given)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(files[0]), 0o700); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			for _, f := range out.Files {
				os.Remove(f)
			}
		}
	}()
	if err := out.lay(files[0], text); err != nil {
		return err
	}
	if err := out.lay(files[1], nil); err != nil {
		return err
	}
	if !given {
		if err := c.keys(out, files[2:]); err != nil {
			return err
		}
	}
	_, err = Load(files[0])
	return err
}

// lay writes a file that nobody else can read.
func (out *founding) lay(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	out.Files = append(out.Files, path)
	_, err = f.Write(text)
	return errors.Join(err, f.Sync(), f.Close())
}

// keys makes both keys and their records.
func (c *initCmd) keys(out *founding, files []string) error {
	rsa, ed, err := message.GenerateKeys()
	if err != nil {
		return err
	}
	_, domain, _ := strings.Cut(c.Address, "@")
	for i, k := range []struct {
		kind string
		key  crypto.Signer
	}{{"rsa", rsa}, {"ed25519", ed}} {
		pem, err := message.FormatKey(k.key)
		if err != nil {
			return err
		}
		if err := out.lay(files[i], pem); err != nil {
			return err
		}
		out.Records = append(out.Records, record{c.Selector + "-" + k.kind + "._domainkey." + strings.ToLower(domain), "TXT", message.TXT(k.key),
			"with it servers check our signature"})
	}
	return nil
}

// config is the text of galley.toml.
func (c *initCmd) config(given bool) ([]byte, error) {
	t, err := template.New("galley.toml").Parse(initText)
	if err != nil {
		return nil, err
	}
	_, domain, _ := strings.Cut(c.Address, "@")
	smtpHost, smtpPort, smtpSecurity := server(c.SMTP, 587)
	imapHost, imapPort, imapSecurity := server(c.IMAP, 993)
	p, _ := hosting(smtpHost)
	v := map[string]any{"Signs": !given, "PlainDomain": strings.ToLower(domain), "SMTPPort": smtpPort, "IMAPPort": imapPort}
	for name, text := range map[string]string{
		"SMTPHost": smtpHost, "SMTPSecurity": smtpSecurity, "IMAPHost": imapHost, "IMAPSecurity": imapSecurity, "User": c.User,
		"Domain": strings.ToLower(domain), "RSASelector": c.Selector + "-rsa", "EdSelector": c.Selector + "-ed25519", "URL": strings.TrimSuffix(c.URL, "/"),
		"ID": c.ID, "Name": c.Name, "Address": c.Address, "Pattern": pattern(p), "Postal": c.Postal, "Editor": c.Editor,
	} {
		v[name] = tomlString(text)
	}
	if c.URL == "" {
		v["URL"] = ""
	}
	if c.Postal == "" {
		v["Postal"] = ""
	}
	if words := strings.Fields(c.Slot); len(words) == 3 {
		v["Weekday"], v["Time"], v["Zone"] = tomlString(words[0]), tomlString(words[1]), tomlString(words[2])
	}
	var b bytes.Buffer
	if err := t.Execute(&b, v); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func pattern(p provider) string {
	if p.noTokens {
		return "none"
	}
	return "local+KIND-TOKEN@domain"
}

// tomlString quotes a text: what JSON writes, TOML reads.
func tomlString(s string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(s) != nil {
		return `""` // no string fails
	}
	return strings.TrimSpace(b.String())
}

// server tells host, port and security of "HOST[:PORT]". A port of this
// machine that has no standard is plain.
func server(s string, standard int) (host string, port int, security string) {
	host, text, err := net.SplitHostPort(s)
	if err != nil {
		host, text = s, ""
	}
	port, err = strconv.Atoi(text)
	if err != nil {
		port = standard
	}
	switch {
	case slices.Contains([]int{465, 993}, port):
		return host, port, TLS
	case loopback(host) && !slices.Contains([]int{587, 143}, port):
		return host, port, Plain
	}
	return host, port, StartTLS
}
