package main

import (
	"fmt"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"galley/send"
	"galley/send/list"
	"galley/templates"
)

// check notes every value that cannot work.
func (c *Config) check(d *document) {
	c.checkFiles(d)
	if host, port, err := net.SplitHostPort(c.Resolver); c.Resolver != "" && (err != nil || host == "" || !goodPort(port)) {
		d.fault("resolver", `write "127.0.0.1:53", or leave it out`, "%q is no host with a port", c.Resolver)
	}
	d.oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error")
	c.Web.check(d)
	c.SMTP.check(d)
	for i := range c.DKIM {
		c.DKIM[i].check(d, element("dkim", i), c)
	}
	if len(c.Newsletters) == 0 {
		d.fault("newsletter", "add a section [[newsletter]] with id, name, address, editors and [newsletter.imap]", "there is none")
	}
	seen := map[string]string{}
	for i := range c.Newsletters {
		n, key := &c.Newsletters[i], element("newsletter", i)
		n.check(d, key)
		if n.Images == ImagesHost && c.Web == nil {
			d.fault(key+".images", `add a section [web], or write "embed"`, "there is no site that could host pictures")
		}
		d.once(seen, key+".id", "id "+n.ID, n.ID)
		d.once(seen, key+".address", "address "+n.Address.Key(), n.Address.String())
	}
}

// checkFiles looks at the data folder, and at who can read this file when it
// holds a secret itself (trust.md bar 80).
func (c *Config) checkFiles(d *document) {
	d.folder("data", c.Data)
	if key := c.inlineSecret(); key != "" {
		if err := private(c.Path); err != nil {
			d.wrong(key, fmt.Errorf("a secret stands in this file: %w, or use password_file, password_env or password_command", err))
		}
	}
	if db := c.Database.Reveal(); strings.HasPrefix(db, "postgres:") || strings.HasPrefix(db, "postgresql:") {
		if u, err := url.Parse(db); err != nil || u.Host == "" && u.Query().Get("host") == "" {
			d.fault("database", `write "postgres://user@host/name"`, "this is no URL of a database")
		}
	} else if strings.Contains(db, "://") {
		d.fault("database", `leave it out for SQLite, or write "postgres://user@host/name"`, "this kind of database is not known")
	}
}

// inlineSecret is the first key whose value is a secret, or "".
func (c *Config) inlineSecret() string {
	if u, err := url.Parse(c.Database.Reveal()); !c.Database.IsZero() && (err != nil || u.User != nil || u.Query().Has("password")) {
		return "database"
	}
	if !c.SMTP.Password.IsZero() {
		return "smtp.password"
	}
	for i := range c.Newsletters {
		if !c.Newsletters[i].IMAP.Password.IsZero() {
			return element("newsletter", i) + ".imap.password"
		}
	}
	return ""
}

func (w *Web) check(d *document) {
	if w == nil {
		return
	}
	if _, port, err := net.SplitHostPort(w.Listen); err != nil || !goodPort(port) {
		d.fault("web.listen", `write "127.0.0.1:8025"`, "%q is no host with a port", w.Listen)
	}
	for i, p := range w.Proxies {
		if _, err := network(p); err != nil {
			d.fault("web.proxies", `write addresses or networks: ["127.0.0.1", "10.0.0.0/8"]`, "entry %d, %q, is neither", i+1, p)
		}
	}
	u, err := url.Parse(w.URL)
	if err != nil || u.Host == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
		d.fault("web.url", `write the address of the site alone: "https://rct.example"`, "%q is no web address of a host", w.URL)
		return
	}
	// RFC 8058 section 3.1: the one-click URI is HTTPS.
	if u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname())) {
		d.fault("web.url", "write https://", "%q is not HTTPS, and mail programs use no other address for leaving", w.URL)
	}
}

func (s *SMTP) check(d *document) {
	if s.Protocol == ProtocolMX {
		s.checkStraight(d)
	} else {
		s.hop().check(d, "smtp")
	}
	d.between("smtp.connections", s.Connections, 1, 64)
	d.between("smtp.per_hour", s.PerHour, 0, 1_000_000_000)
	d.between("smtp.per_day", s.PerDay, 0, 1_000_000_000)
	d.rate("smtp.per_second", s.PerSecond)
	d.rate("smtp.domain_per_second", s.DomainPerSecond)
	for i, n := range s.WarmUp {
		if n < 1 {
			d.fault("smtp.warm_up", "write how many copies may go on each of the first days: [50, 100, 500, 1000, 5000]", "day %d has %d", i+1, n)
		}
	}
	d.oneOf("smtp.unsure", s.Unsure, string(send.Resend), string(send.Hold))
	for i := range s.Also {
		s.Also[i].check(d, element("smtp.also", i))
	}
}

// checkStraight looks at what is needed, and what is not, to hand mail to the
// readers' servers ourselves. They ask the DNS for the name that we give.
func (s *SMTP) checkStraight(d *document) {
	for key, set := range map[string]bool{"host": s.Host != "", "user": s.User != "", "also": len(s.Also) > 0} {
		if set {
			d.fault("smtp."+key, `take it out, or the line protocol = "mx"`, "mail that goes straight to the readers' servers has no next hop")
		}
	}
	if _, err := list.Domain(s.Hello); err != nil {
		d.fault("smtp.hello", "write this machine's full name, as its reverse DNS has it", "the readers' servers want to know who calls: %v", err)
	}
	d.between("smtp.messages_per_connection", s.Messages, 1, 100_000)
}

func (d *document) rate(key string, got float64) {
	if !(got >= 0 && got <= 1_000_000) { // NaN is neither
		d.fault(key, "write how many a second, or leave it out for no limit", "%v is out of range", got)
	}
}

func (h *NextHop) check(d *document, key string) {
	d.server(key, h.Host, h.Port, h.Security)
	h.Login.check(d, key, h.Host, h.Security)
	d.between(key+".messages_per_connection", h.Messages, 1, 100_000)
	d.between(key+".window", h.Window, 1, 64)
	d.between(key+".weight", h.Weight, 1, 1000)
	d.oneOf(key+".protocol", h.Protocol, ProtocolSMTP, ProtocolLMTP)
	if _, err := list.Domain(h.Hello); h.Hello != "" && err != nil {
		d.fault(key+".hello", "write this machine's full name, as its reverse DNS has it", "%v", err)
	}
}

func (l *Login) check(d *document, key, host, security string) {
	var ways []string
	for _, w := range []struct {
		key string
		set bool
	}{
		{"password", !l.Password.IsZero()}, {"password_file", l.PasswordFile != ""},
		{"password_env", l.PasswordEnv != ""}, {"password_command", l.PasswordCommand != ""},
	} {
		if w.set {
			ways = append(ways, w.key)
		}
	}
	switch {
	case len(ways) > 1:
		d.fault(key+"."+ways[1], "keep one of them", "the password is given %d times: %s", len(ways), strings.Join(ways, ", "))
	case len(ways) == 1 && l.User == "":
		d.fault(key+"."+ways[0], "add user", "a password without a user")
	case len(ways) == 0 && l.User != "":
		d.fault(key+".user", "add password_file, password_env or password_command", "a user without a password")
	case len(ways) == 1 && security == Plain && !loopback(host):
		d.fault(key+".security", `write "tls" or "starttls"`, "the password would cross the network in the clear")
	}
	d.oneOf(key+".mechanism", strings.ToLower(l.Mechanism), "", "plain", "login", "xoauth2", "oauthbearer")
	if l.PasswordFile != "" {
		d.wrong(key+".password_file", private(l.PasswordFile))
	}
}

func (k *DKIM) check(d *document, key string, c *Config) {
	domain, err := list.Domain(k.Domain)
	if err != nil {
		d.fault(key+".domain", "write the domain of the newsletter's address", "%v", err)
	} else if !slices.ContainsFunc(c.Newsletters, func(n Newsletter) bool { return within(n.Address.Domain(), domain) }) {
		d.fault(key+".domain", "sign with the domain of the newsletter's address or one above it",
			"%q is not the domain of any newsletter here, so its signature proves nothing to the readers' servers", k.Domain)
	}
	if !selector.MatchString(k.Selector) {
		d.fault(key+".selector", `write the name of the DNS record, for example "galley1"`, "%q is no selector", k.Selector)
	}
	if k.KeyFile == "" {
		d.fault(key+".key_file", "name the file with the private key", "missing")
		return
	}
	d.wrong(key+".key_file", private(k.KeyFile))
}

// within tells whether name is domain or below it.
func within(name, domain string) bool {
	return name == domain || strings.HasSuffix(name, "."+domain)
}

var (
	selector  = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?)*$`)
	ident     = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$`)
	language  = regexp.MustCompile(`^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)
	webPath   = regexp.MustCompile(`^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+$`)
	localPart = regexp.MustCompile(`^[A-Za-z0-9!#$%&'*/=?^_{|}~.+-]+$`)
	authserv  = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)
)

func (n *Newsletter) check(d *document, key string) {
	if !ident.MatchString(n.ID) {
		d.fault(key+".id", `write a short name in lower case that never changes, such as "rct"`, "%q is no id", n.ID)
	}
	d.oneLine(key+".name", n.Name, "name the newsletter as its readers know it", true)
	if n.From != n.Name {
		d.oneLine(key+".from", n.From, "", false)
	}
	d.oneLine(key+".tagline", n.Tagline, "", false)
	if n.Address.IsZero() && !d.has(key+".address") {
		d.fault(key+".address", "write the address of the mailbox", "missing")
	}
	n.checkPattern(d, key+".address_pattern")
	if !language.MatchString(n.Lang) {
		d.fault(key+".lang", `write for example "en" or "de-CH"`, "%q is no language", n.Lang)
	}
	if !webPath.MatchString(n.Archive) || taken(n.Archive) {
		d.fault(key+".archive", `write for example "/newsletter_issues"`, "%q is no path for the archive", n.Archive)
	}
	d.oneOf(key+".images", n.Images, ImagesEmbed, ImagesHost)
	d.oneOf(key+".approve", n.Approve, ApproveCode, ApproveProof)
	if n.Approvals < 0 || n.Approvals > len(n.Editors) {
		d.fault(key+".approvals", "name as many editors, or ask for fewer", "%d people cannot approve where there are %d editors", n.Approvals, len(n.Editors))
	}
	n.checkTemplates(d, key+".templates")
	if g := time.Duration(n.Grace); g < 0 || g > 12*time.Hour {
		d.fault(key+".grace", `write "10m"`, "%v is no time of grace: 0 to 12 hours", g)
	}
	n.checkEditors(d, key+".editors")
	n.checkLists(d, key)
	for i, k := range n.PGP {
		n.checkPGP(d, element(key+".pgp", i), k)
	}
	n.IMAP.check(d, key+".imap")
	n.Slot.check(d, key+".slot")
}

// taken tells that a path of the site has another meaning already.
func taken(path string) bool {
	first, _, _ := strings.Cut(path[1:], "/")
	return first == "u" || first == "health" || first == "image"
}

// checkPattern asks the one who makes addresses of it.
func (n *Newsletter) checkPattern(d *document, key string) {
	const remedy = `write "local+KIND-TOKEN@domain", or "none"`
	if n.Address.IsZero() {
		return // told already
	}
	if err := (send.Pattern{Mailbox: n.Address.String(), Form: n.Pattern}).Check(); err != nil {
		d.fault(key, remedy, "%s", strings.TrimPrefix(err.Error(), "address pattern "))
		return
	}
	local, domain, _ := strings.Cut(n.Pattern, "@")
	if !localPart.MatchString(local) {
		d.fault(key, remedy, "%q has a character that cannot stand before the @", n.Pattern)
	}
	if _, err := list.Domain(domain); n.Pattern != send.NoForm && domain != "domain" && err != nil {
		d.fault(key, `write "domain" for the mailbox's own, or a domain`, "%v", err)
	}
}

// checkTemplates wants a folder, or the name of a built-in look behind @.
func (n *Newsletter) checkTemplates(d *document, key string) {
	name, builtIn := strings.CutPrefix(n.Templates, "@")
	switch {
	case n.Templates == "":
	case !builtIn:
		d.folder(key, n.Templates)
	case !templates.Known(name):
		d.fault(key, `write "@standard", "@plain" or the path of a folder`, "there is no built-in look %q", name)
	}
}

func (n *Newsletter) checkEditors(d *document, key string) {
	if len(n.Editors) == 0 && !d.has(key) {
		d.fault(key, `add editors = ["Name <name@example.org>"]`, "nobody may send drafts")
	}
	seen := map[string]string{}
	for i, e := range n.Editors {
		at := element(key, i)
		if e.Address.IsZero() {
			continue // told already, when it was read
		}
		if e.Address.Key() == n.Address.Key() {
			d.fault(at, "name the editor's own mailbox", "%s is the newsletter's own mailbox, which never mails itself", e.Address)
		}
		d.once(seen, at, e.Address.Key(), e.Address.String())
	}
}

func (n *Newsletter) checkLists(d *document, key string) {
	for i, id := range n.Authserv {
		if !authserv.MatchString(id) {
			d.fault(element(key+".authserv_ids", i), "write the name that begins your server's Authentication-Results, such as \"mx.example.org\"", "%q is no such name", id)
		}
	}
	seen := map[string]string{}
	for i, s := range n.Sections {
		at := element(key+".sections", i)
		d.oneLine(at+".name", s.Name, "name the section", true)
		for _, name := range append([]string{s.Name}, s.Aliases...) {
			d.once(seen, at, strings.ToLower(name), name)
		}
	}
	for _, command := range slices.Sorted(maps.Keys(n.Words)) { // the faults come in one order
		words := n.Words[command]
		at := key + ".words." + command
		if !slices.Contains(commands, command) {
			d.fault(at, "the commands are "+strings.Join(commands, ", "), "%q is no command", command)
		}
		for i, w := range words {
			if strings.TrimSpace(w) == "" || strings.ContainsAny(w, "?\r\n") {
				d.fault(element(at, i), "write words that an editor would write on a line", "%q is no word for a command", w)
			}
			d.once(seen, element(at, i), "word "+strings.ToLower(w), w)
		}
	}
}

// commands are those of conversation.md section 2 that may get more words.
var commands = []string{"approve", "hold", "stop", "resume", "cancel", "test", "status", "help", "yes", "no"}

func (m *IMAP) check(d *document, key string) {
	d.server(key, m.Host, m.Port, m.Security)
	if m.Security == Plain && m.Host != "" && !loopback(m.Host) {
		d.fault(key+".security", `write "tls" or "starttls"`, "plain IMAP is for this machine alone, and %s is another", m.Host)
	}
	if m.User == "" {
		d.fault(key+".user", "add user and password_file", "missing")
	} else {
		m.Login.check(d, key, m.Host, TLS) // what plain means was said above
	}
	d.span(key+".poll", m.Poll, time.Second, 5*time.Minute) // a half-open line is noticed by it
	d.span(key+".reconcile", m.Reconcile, time.Minute, 7*24*time.Hour)
	if m.Idle != 0 { // RFC 2177: servers may hang up after 30 minutes
		d.span(key+".idle", m.Idle, 10*time.Second, 29*time.Minute)
	}
	m.checkFolders(d, key)
}

func (s *Slot) check(d *document, key string) {
	if s == nil {
		return
	}
	for _, k := range []struct{ name, example string }{{"weekday", "saturday"}, {"time", "09:00"}, {"zone", "America/Toronto"}} {
		if !d.has(key + "." + k.name) {
			d.fault(key+"."+k.name, fmt.Sprintf("add %s = %q", k.name, k.example), "missing")
		}
	}
	if s.Every != 0 {
		d.between(key+".every", s.Every, 1, 52)
	}
	if s.Every > 1 && time.Time(s.First).IsZero() {
		d.fault(key+".first", `add first = "2026-01-03", a day of a week in which an issue goes`, "missing: it says which weeks are meant")
	}
	if s.Starter != 0 {
		d.span(key+".starter", s.Starter, time.Hour, 7*24*time.Hour-time.Minute)
	}
	seen := map[string]string{}
	for i, r := range s.Remind {
		at := element(key+".remind", i)
		d.span(at, r, time.Minute, 7*24*time.Hour-time.Minute)
		d.once(seen, at, r.String(), r.String())
	}
}

// server checks where to connect to.
func (d *document) server(key, host string, port int, security string) {
	_, err := list.Domain(host)
	_, ipErr := netip.ParseAddr(host)
	switch {
	case host == "":
		d.fault(key+".host", "name the server", "missing")
	case err != nil && ipErr != nil && !oneLabel.MatchString(host):
		d.fault(key+".host", "write the name alone; the port has a line of its own", "%q is no name of a server", host)
	}
	d.oneOf(key+".security", security, TLS, StartTLS, Plain)
	if port != 0 || d.has(key+".port") {
		d.between(key+".port", port, 1, 65535)
	}
}

var oneLabel = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9])?$`)

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && ip.IsLoopback()
}

func goodPort(s string) bool {
	_, err := net.LookupPort("tcp", s)
	return err == nil && s != ""
}

func (d *document) oneOf(key, got string, may ...string) {
	if !slices.Contains(may, got) {
		words := strings.Join(slices.DeleteFunc(slices.Clone(may), func(s string) bool { return s == "" }), `", "`)
		d.fault(key, `write one of "`+words+`"`, "%q is not known", got)
	}
}

func (d *document) between(key string, got, low, high int) {
	if got < low || got > high {
		d.fault(key, fmt.Sprintf("write a number from %d to %d", low, high), "%d is out of range", got)
	}
}

func (d *document) span(key string, got Duration, low, high time.Duration) {
	if t := time.Duration(got); t < low || t > high {
		d.fault(key, fmt.Sprintf("write a time from %v to %v", Duration(low), Duration(high)), "%v is out of range", got)
	}
}

// once tells when a name stands a second time.
func (d *document) once(seen map[string]string, key, name, shown string) {
	if shown == "" {
		return
	}
	if _, again := seen[name]; again {
		d.fault(key, "keep one of them", "%q is there twice", shown)
	}
	seen[name] = key
}

// oneLine checks words that end up in header fields.
func (d *document) oneLine(key, got, remedy string, wanted bool) {
	if wanted && strings.TrimSpace(got) == "" {
		d.fault(key, remedy, "missing")
	}
	if strings.ContainsFunc(got, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		d.fault(key, "write it on one line", "there is a line break or a control character in it")
	}
}

func (d *document) folder(key, path string) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		d.fault(key, "make the folder: mkdir -m 700 "+path, "%v", unwrapPath(err, path))
	case !info.IsDir():
		d.fault(key, "name a folder", "%s is a file", path)
	}
}

// wrong notes an error that brings its own remedy behind a semicolon.
func (d *document) wrong(key string, err error) {
	if err == nil {
		return
	}
	what, remedy, ok := strings.Cut(err.Error(), "; ")
	if !ok {
		remedy = "mend the path, or put the file there"
	}
	d.fault(key, remedy, "%s", what)
}
