package main

import (
	"net/mail"
	"path/filepath"
	"strings"
	"time"

	"galley/send"
	"galley/send/list"
)

// Config is everything the file says, with defaults filled in, paths made
// absolute and every value checked. It is made by Load and not changed.
type Config struct {
	Data        string       `toml:"data"`        // folder of database, key and archive; default: the file's own
	Database    Secret       `toml:"database"`    // "" is SQLite in data; postgres://… may hold a password
	Resolver    string       `toml:"resolver"`    // host:port of the DNS server to ask; default: the system's
	CheckLinks  bool         `toml:"check_links"` // ask the web whether a draft's links are alive; default true
	CheckDNS    bool         `toml:"check_dns"`   // ask the DNS about our records before a send to more than a hundred; default true
	Log         Log          `toml:"log"`
	Web         *Web         `toml:"web"` // nil: no web pages; leaving then goes by mail alone
	SMTP        SMTP         `toml:"smtp"`
	DKIM        []DKIM       `toml:"dkim"`
	Newsletters []Newsletter `toml:"newsletter"`

	Path string `toml:"-"` // of the file
}

// Log is how much is told and in which form.
type Log struct {
	Level     string `toml:"level"`     // debug, info, warn or error; default info
	JSON      bool   `toml:"json"`      // one JSON object a line
	Addresses bool   `toml:"addresses"` // false: people appear as keyed hashes (trust.md section 5)
}

// Web is where the pages are served and what the world calls them.
type Web struct {
	Listen string `toml:"listen"` // host:port; default 127.0.0.1:8025
	URL    string `toml:"url"`    // https://host, without a slash at the end
	// Proxies are whose X-Forwarded-For is believed: addresses or networks.
	// Default: this machine itself when Listen is on it, else none.
	Proxies []string `toml:"proxies"`
}

// Transport security of a server.
const (
	TLS      = "tls"      // from the first byte
	StartTLS = "starttls" // after a plain greeting, and never without it
	Plain    = "plain"    // none
)

// SMTP is the next hop of everything that leaves.
type SMTP struct {
	Host     string `toml:"host"`
	Port     int    `toml:"port"`     // default 465, 587 or 25, by security
	Security string `toml:"security"` // default starttls
	Login
	Connections int    `toml:"connections"`             // at once; default 4
	Hello       string `toml:"hello"`                   // name in EHLO; default: the host's own
	Messages    int    `toml:"messages_per_connection"` // default 100
	Window      int    `toml:"window"`                  // copies at once over one connection, where the server takes chunks; default 1
	Protocol    string `toml:"protocol"`                // smtp, lmtp, or mx: straight to the readers' servers; default smtp
	Weight      int    `toml:"weight"`                  // its share beside those of Also; default 1

	PerSecond       float64 `toml:"per_second"`        // copies; 0: no limit, as with the next four
	DomainPerSecond float64 `toml:"domain_per_second"` // copies to one destination
	PerHour         int     `toml:"per_hour"`          // copies, in any sixty minutes
	PerDay          int     `toml:"per_day"`           // copies, in any 24 hours
	WarmUp          []int   `toml:"warm_up"`           // copies on each of the first days of a new domain

	Unsure string `toml:"unsure"` // what becomes of a copy that may have arrived: resend, hold; default resend

	Also []NextHop `toml:"also"` // more next hops, which share the work and step in
}

// NextHop is one of several next hops.
type NextHop struct {
	Host     string `toml:"host"`
	Port     int    `toml:"port"`
	Security string `toml:"security"`
	Login
	Hello    string `toml:"hello"`
	Messages int    `toml:"messages_per_connection"`
	Window   int    `toml:"window"`
	Protocol string `toml:"protocol"`
	Weight   int    `toml:"weight"`
}

// Protocols of a next hop.
const (
	ProtocolSMTP = "smtp"
	ProtocolLMTP = "lmtp"
	ProtocolMX   = "mx" // no next hop: the servers of the readers' domains
)

// DKIM is one key with which mail is signed.
type DKIM struct {
	Domain   string `toml:"domain"` // d=, equal to the newsletter's or above it
	Selector string `toml:"selector"`
	KeyFile  string `toml:"key_file"` // PEM, RSA or Ed25519
}

// How an issue is approved.
const (
	ApproveCode  = "code"       // the one-time code alone, where the editor's provider signs nothing
	ApproveProof = "code+proof" // the code, in a mail that proves its sender
)

// Where readers get the attached pictures of an issue from.
const (
	ImagesEmbed = "embed" // every copy carries them
	ImagesHost  = "host"  // the site serves them
)

// Newsletter is one newsletter with its mailbox and its editors.
type Newsletter struct {
	ID        string              `toml:"id"` // for ever: it stands in the books and in List-Id
	Name      string              `toml:"name"`
	Tagline   string              `toml:"tagline"`
	Address   list.Address        `toml:"address"`         // the mailbox's own
	Pattern   string              `toml:"address_pattern"` // default local+KIND-TOKEN@domain; "none" hands out no addresses
	Also      []list.Address      `toml:"also"`            // former addresses of the mailbox, which issues sent long ago name
	From      string              `toml:"from"`            // display name; default Name
	ReplyTo   *Person             `toml:"reply_to"`
	Postal    string              `toml:"postal_address"`
	Lang      string              `toml:"lang"`      // default en
	Archive   string              `toml:"archive"`   // path of the archive on the web; default /newsletter_issues
	Templates string              `toml:"templates"` // folder over the built-in ones, or @ and a built-in look: @plain
	Images    string              `toml:"images"`    // where attached pictures stand: embed in every copy, the default, or host on the site
	Approve   string              `toml:"approve"`   // default code+proof
	Approvals int                 `toml:"approvals"` // how many editors must approve; default 1
	Authserv  []string            `toml:"authserv_ids"`
	Unchecked bool                `toml:"authserv_unchecked"` // their word counts untried
	Sections  []Section           `toml:"sections"`
	Editors   []Person            `toml:"editors"`
	PGP       []PGP               `toml:"pgp"`    // keys that prove an editor's mail as its domain's signature does
	Words     map[string][]string `toml:"words"`  // more words for a command, in the editor's language
	Thanks    bool                `toml:"thanks"` // thank the readers whose links were used; default true
	// Hello has every editor asked to say hello, and a first draft wait for it;
	// default true.
	Hello bool `toml:"hello"`
	// Acknowledge tells readers that their links have arrived; default false.
	Acknowledge bool     `toml:"acknowledge"`
	Grace       Duration `toml:"grace"` // between the editor's copy and the others'; default 10m, may be 0
	IMAP        IMAP     `toml:"imap"`
	Slot        *Slot    `toml:"slot"` // nil: no schedule, every issue is given its time
}

// Section is a heading that issues usually have, with the other ways its
// author writes it.
type Section struct {
	Name    string   `toml:"name"`
	Aliases []string `toml:"aliases"`
}

// PGP is an editor's public OpenPGP key, for mail signed with PGP/MIME.
type PGP struct {
	Editor      list.Address `toml:"editor"`
	Fingerprint string       `toml:"fingerprint"` // of the primary key, 40 digits
	KeyFile     string       `toml:"key_file"`    // the public key, as gpg --armor --export writes it
}

// IMAP is the mailbox that a newsletter lives in.
type IMAP struct {
	Host     string `toml:"host"`
	Port     int    `toml:"port"`     // default 993 or 143, by security
	Security string `toml:"security"` // default tls
	Login
	Folder    string   `toml:"folder"`    // default INBOX
	Poll      Duration `toml:"poll"`      // default 60s
	Idle      Duration `toml:"idle"`      // IDLE is renewed after this; default 9m, 0 never idles
	Reconcile Duration `toml:"reconcile"` // the whole folder is looked through; default 1h
	Sent      string   `toml:"sent"`      // folder of copies of what goes out, or off; default Sent
	Folders   Folders  `toml:"folders"`   // where mail goes that was dealt with
	Shared    bool     `toml:"shared"`    // an editor's own mailbox: only mail to the newsletter is taken up
}

// Slot is the time of an issue, every week or every few, on the wall clocks
// of its zone.
type Slot struct {
	Weekday Weekday    `toml:"weekday"`
	Time    TimeOfDay  `toml:"time"`  // "09:00"
	Zone    Zone       `toml:"zone"`  // "America/Toronto"
	Every   int        `toml:"every"` // weeks from one slot to the next; default 1
	First   Day        `toml:"first"` // with every: a day of the week in which a slot falls
	Remind  []Duration `toml:"remind"`
	Starter Duration   `toml:"starter"` // how long before the slot the empty form comes; default 3d, 0 never
}

// Person is a name with an address, written as in a mail's From.
type Person struct {
	Name    string
	Address list.Address
}

// UnmarshalText reads "Name <a@b>" or a bare address.
func (p *Person) UnmarshalText(text []byte) error {
	s := strings.TrimSpace(string(text))
	if !strings.HasSuffix(s, ">") {
		p.Name = ""
		return p.Address.UnmarshalText(text)
	}
	open := strings.LastIndexByte(s, '<')
	addr, err := list.ParseAddress(s[max(0, open)+1 : len(s)-1])
	if err != nil {
		return err
	}
	p.Address, p.Name = addr, displayName(s[:max(0, open)])
	return nil
}

// displayName undoes quotes where they were written; a name with a comma is
// fine without them here, since one string holds one person.
func displayName(s string) string {
	s = strings.TrimSpace(s)
	if a, err := mail.ParseAddress(s + " <a@b.example>"); err == nil {
		return a.Name
	}
	return strings.Trim(s, `"`)
}

// String is the person as a mail's From has it.
func (p Person) String() string {
	return (&mail.Address{Name: p.Name, Address: p.Address.String()}).String()
}

// Newsletter finds a newsletter by its id. With "" it gives the only one
// there is.
func (c *Config) Newsletter(id string) (*Newsletter, bool) {
	for i := range c.Newsletters {
		if n := &c.Newsletters[i]; n.ID == id || id == "" && len(c.Newsletters) == 1 {
			return n, true
		}
	}
	return nil, false
}

// Books is the URL of the database as store.Open takes it. It may hold a
// password: it is not for printing.
func (c *Config) Books() string {
	if db := c.Database.Reveal(); db != "" {
		return db
	}
	return filepath.Join(c.Data, "galley.db")
}

// defaults fills in what the file leaves out; has tells what it says.
func (c *Config) defaults(has func(key string) bool) {
	folder := filepath.Dir(c.Path)
	fill(&c.Data, folder)
	c.Data = under(folder, c.Data)
	if !has("check_links") {
		c.CheckLinks = true
	}
	if !has("check_dns") {
		c.CheckDNS = true
	}
	fill(&c.Log.Level, "info")
	if c.Web != nil {
		fill(&c.Web.Listen, "127.0.0.1:8025")
		c.Web.URL = strings.TrimSuffix(c.Web.URL, "/")
	}
	c.SMTP.defaults(folder)
	for i := range c.DKIM {
		c.DKIM[i].KeyFile = under(folder, c.DKIM[i].KeyFile)
	}
	for i := range c.Newsletters {
		at := element("newsletter", i)
		c.Newsletters[i].defaults(folder, func(key string) bool { return has(at + "." + key) })
	}
}

func (s *SMTP) defaults(folder string) {
	fill(&s.Security, StartTLS)
	fill(&s.Port, map[string]int{TLS: 465, StartTLS: 587, Plain: 25}[s.Security])
	fill(&s.Connections, 4)
	fill(&s.Messages, 100)
	fill(&s.Window, 1)
	fill(&s.Protocol, ProtocolSMTP)
	fill(&s.Weight, 1)
	fill(&s.Unsure, string(send.Resend))
	s.PasswordFile = under(folder, s.PasswordFile)
	for i := range s.Also {
		h := &s.Also[i]
		fill(&h.Security, StartTLS)
		fill(&h.Port, map[string]int{TLS: 465, StartTLS: 587, Plain: 25}[h.Security])
		fill(&h.Hello, s.Hello)
		fill(&h.Messages, 100)
		fill(&h.Window, 1)
		fill(&h.Protocol, ProtocolSMTP)
		fill(&h.Weight, 1)
		h.PasswordFile = under(folder, h.PasswordFile)
	}
}

func (n *Newsletter) defaults(folder string, has func(string) bool) {
	fill(&n.Pattern, "local+KIND-TOKEN@domain")
	fill(&n.From, n.Name)
	fill(&n.Lang, "en")
	fill(&n.Archive, "/newsletter_issues")
	fill(&n.Approve, ApproveProof)
	fill(&n.Images, ImagesEmbed)
	if !strings.HasPrefix(n.Templates, "@") {
		n.Templates = under(folder, n.Templates)
	}
	for i := range n.PGP {
		n.PGP[i].KeyFile = under(folder, n.PGP[i].KeyFile)
	}
	if !has("hello") {
		n.Hello = true
	}
	if !has("thanks") {
		n.Thanks = true
	}
	if !has("grace") {
		n.Grace = Duration(10 * time.Minute)
	}
	if n.Slot != nil && !has("slot.starter") {
		n.Slot.Starter = Duration(3 * 24 * time.Hour)
	}
	n.IMAP.defaults(folder, has)
}

func (m *IMAP) defaults(folder string, has func(string) bool) {
	fill(&m.Security, TLS)
	fill(&m.Port, map[string]int{TLS: 993, StartTLS: 143, Plain: 143}[m.Security])
	fill(&m.Folder, "INBOX")
	fill(&m.Sent, sentFolder)
	m.Folders.defaults()
	for _, t := range []struct {
		key      string
		value    *Duration
		standard time.Duration
	}{
		{"poll", &m.Poll, time.Minute}, {"idle", &m.Idle, 9 * time.Minute}, {"reconcile", &m.Reconcile, time.Hour},
	} {
		if !has("imap." + t.key) {
			*t.value = Duration(t.standard)
		}
	}
	m.PasswordFile = under(folder, m.PasswordFile)
}

func fill[T comparable](v *T, standard T) {
	var zero T
	if *v == zero {
		*v = standard
	}
}

// under makes a path of the file absolute: it is seen from the file's folder.
func under(folder, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(folder, path)
}
