package trust

import (
	"context"
	"fmt"
	"maps"
	"net/mail"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"
)

// Policy is what the judge knows beside the mail.
type Policy struct {
	Editors []string            // addresses that may command
	Pinned  map[string][]string // editor's address -> the d= domains that sign for it; none: the From domain or one above it
	// AuthservIDs are the mail servers whose Authentication-Results are
	// believed. Whoever fills it takes an id out while its canary is not
	// fresh (trust.md 2.6 B).
	AuthservIDs []string
	Keys        []*Key                 // OpenPGP keys, pinned by fingerprint; none: no such signature counts
	Now         time.Time              // the instant at which windows are judged
	Seen        func(hash string) bool // whether a signature was acted on before; nil: none was
	DNS         DNS
}

// Evidence is what a mail proves about its sender.
type Evidence struct {
	From     string   `json:"from,omitempty"` // "" unless Strict
	Name     string   `json:"name,omitempty"`
	Strict   bool     `json:"strict"`
	E        string   `json:"evidence"`           // pass fail none temperror
	By       string   `json:"by,omitempty"`       // dkim or authres, for pass and fail
	Domain   string   `json:"domain,omitempty"`   // what proved it
	Selector string   `json:"selector,omitempty"` // of the signature that did
	DKIM     []Result `json:"dkim,omitempty"`
	Editor   bool     `json:"editor"`        // From is a configured editor; says nothing about proof
	Why      string   `json:"why,omitempty"` // one sentence, for the log and for `inspect`
	// Replay are the SHA-256 sums (hex) of the aligned signatures, to be
	// remembered for 90 days when the mail is acted on. All of them: a mail
	// with two could come back with one.
	Replay []string `json:"-"`
	PGP    string   `json:"pgp,omitempty"`     // pass fail absent, by a pinned key
	PGPWhy string   `json:"pgp_why,omitempty"` // one sentence
	// Signers are the domains whose signatures are whole and behind no gate:
	// the aligned ones, or all of them when none is. Pinned does not narrow
	// them, so that an answer to the hello may pin another (trust.md 2.6 A).
	Signers []string `json:"-"`
	// Signed are the octets, head and body of a MIME part, that a pinned key
	// has signed: nothing else in the mail is proven by it.
	Signed []byte `json:"-"`
}

// window is how far Date and t= may be from now (trust.md 2.6 A).
const (
	windowPast   = 7 * 24 * time.Hour
	windowFuture = 10 * time.Minute
)

// Judge weighs a mail's From against its own DKIM signatures and against what
// a trusted server wrote (trust.md 2.6). A signature of ours outweighs the
// server's word: one that is broken, replayed or covers too little is not
// saved by a "pass" from elsewhere.
func Judge(ctx context.Context, raw []byte, p Policy) Evidence {
	h := readHeader(crlf(raw))
	sigs := h.signatures(ctx, p)
	ev := Evidence{E: "none", PGP: "absent"}
	for _, s := range sigs {
		ev.DKIM = append(ev.DKIM, s.Result)
	}
	from, name, err := h.strictFrom()
	if err != nil {
		ev.Why = strings.TrimPrefix(err.Error(), "trust: ")
		return ev
	}
	ev.From, ev.Name, ev.Strict = from, name, true
	ev.Editor = slices.ContainsFunc(p.Editors, func(e string) bool { return sameAddress(e, from) })
	j := &judge{h: &h, p: p, from: from, ev: &ev, count: len(sigs)}
	for _, s := range sigs {
		if j.aligned(s.Domain) {
			j.sigs = append(j.sigs, s)
		}
	}
	j.weigh(ctx)
	ev.Signers = j.signers(sigs)
	j.pgp()
	return ev
}

// judge holds one mail while it is weighed.
type judge struct {
	h     *header
	p     Policy
	from  string
	sigs  []*signature // the aligned ones
	count int          // of all signatures
	ev    *Evidence
}

func (j *judge) weigh(ctx context.Context) {
	opinion := j.ownDKIM()
	if opinion == "pass" || opinion == "temperror" || opinion == "refused" {
		return
	}
	said, domain, why := j.server()
	switch {
	case opinion == "" && said == "pass":
		j.ev.E, j.ev.By, j.ev.Domain, j.ev.Why = "pass", "authres", domain, why
	case said == "fail":
		j.ev.E, j.ev.By, j.ev.Why = "fail", "authres", why
	default:
		j.domainPolicy(ctx)
	}
}

// ownDKIM weighs the aligned signatures. Its opinion is "pass", "temperror",
// "refused" (a whole signature behind a gate: perhaps the editor's, perhaps a
// replay), "fail" (a broken one) or "" (nothing that could be judged).
func (j *judge) ownDKIM() string {
	opinion := ""
	for _, s := range j.sigs {
		reason, refused := s.Reason, s.Result.Result == "policy"
		if s.Result.Result == "pass" {
			reason = j.gate(s)
			refused = reason != ""
		}
		if s.b != nil {
			j.ev.Replay = append(j.ev.Replay, s.replay())
		}
		switch {
		case s.Result.Result == "pass" && !refused && opinion != "refused":
			j.pass(s)
			opinion = "pass"
		case refused:
			j.refuse(reason)
			opinion = "refused"
		case opinion != "pass" && opinion != "refused" && s.Result.Result == "temperror":
			j.ev.E, j.ev.Why = "temperror", reason
			opinion = "temperror"
		case opinion == "" && s.Result.Result == "fail":
			j.ev.Why = reason
			opinion = "fail"
		}
	}
	return opinion
}

func (j *judge) pass(s *signature) {
	if j.ev.E == "pass" {
		return
	}
	j.ev.E, j.ev.By, j.ev.Domain, j.ev.Selector = "pass", "dkim", s.Domain, s.Selector
	j.ev.Why = "signed by " + s.Domain
}

// refuse takes back whatever another signature proved: a gate that closes for
// one of them closes for the mail.
func (j *judge) refuse(reason string) {
	j.ev.E, j.ev.By, j.ev.Domain, j.ev.Selector, j.ev.Why = "none", "", "", "", reason
}

// required are the fields that a signature must cover before it speaks for
// the editor (trust.md 2.6 A; finding M6).
var required = []string{"from", "subject", "date", "to", "message-id"}

// gate names what keeps a valid signature from proving the editor; "" is
// nothing.
func (j *judge) gate(s *signature) string {
	if j.count > maxSignatures {
		return fmt.Sprintf("%d signatures", j.count)
	}
	for _, name := range required {
		if s.times(name) == 0 {
			return "signature does not cover " + name
		}
		if j.h.count(name) > s.times(name) {
			return name + " stands there more often than it is signed"
		}
	}
	if n := j.h.count("MIME-Version"); n > s.times("mime-version") {
		return "signature does not cover MIME-Version"
	}
	if why := j.window(s); why != "" {
		return why
	}
	if j.p.Seen != nil && j.p.Seen(s.replay()) {
		return "this signature was acted on before"
	}
	return ""
}

// window judges the age of the mail.
func (j *judge) window(s *signature) string {
	date, err := mail.ParseDate(j.firstValue("Date"))
	if err != nil {
		return "no Date that can be read"
	}
	for _, t := range []time.Time{date, s.at} {
		if t.IsZero() {
			continue
		}
		if t.Before(j.p.Now.Add(-windowPast)) {
			return "the mail is more than seven days old"
		}
		if t.After(j.p.Now.Add(windowFuture)) {
			return "the mail is dated in the future"
		}
	}
	return ""
}

func (j *judge) firstValue(name string) string {
	if all := j.h.all(name); len(all) > 0 {
		return all[0].value()
	}
	return ""
}

// signers lists the domains that may be pinned for the sender. A domain that
// the address belongs to speaks louder than a provider's that signs for
// everybody.
func (j *judge) signers(sigs []*signature) (out []string) {
	var foreign []string
	for _, s := range sigs {
		switch {
		case s.Result.Result != "pass" || j.gate(s) != "":
		case speaksFor(s.Domain, j.fromDomain()):
			out = append(out, s.Domain)
		default:
			foreign = append(foreign, s.Domain)
		}
	}
	if len(out) == 0 {
		out = foreign
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// fromDomain is the part behind the at sign.
func (j *judge) fromDomain() string { return j.from[strings.LastIndexByte(j.from, '@')+1:] }

// aligned says whether a domain may speak for the From: a pinned one, else
// the From domain itself or one above it that is not open to the public.
func (j *judge) aligned(domain string) bool {
	for editor, domains := range j.p.Pinned {
		if sameAddress(editor, j.from) && len(domains) > 0 {
			return slices.ContainsFunc(domains, func(d string) bool { return strings.EqualFold(d, domain) })
		}
	}
	return speaksFor(domain, j.fromDomain())
}

// speaksFor says whether a domain is the one of an address or stands above it,
// and is not open to the public.
func speaksFor(domain, from string) bool {
	if domain == from {
		return true
	}
	if !strings.HasSuffix(from, "."+domain) {
		return false
	}
	suffix, _ := publicsuffix.PublicSuffix(domain)
	return suffix != domain
}

// server weighs the Authentication-Results of the trusted servers that stand
// above the first foreign one: "pass" for a domain, "fail" or "".
func (j *judge) server() (said, domain, why string) {
	seen := map[string]string{} // method and domain -> result
	for _, f := range j.h.all("Authentication-Results") {
		id, results, err := ParseAuthResults(f.value())
		if err != nil || !j.trusted(id) {
			break
		}
		for _, r := range results {
			if !j.note(seen, r) {
				return "", "", "trusted servers disagree on " + r.Method
			}
		}
	}
	switch seen["dmarc"] {
	case "fail":
		return "fail", "", "the mail server says dmarc=fail"
	case "pass":
		return "pass", j.fromDomain(), "the mail server says dmarc=pass"
	}
	for _, key := range slices.Sorted(maps.Keys(seen)) {
		if d, ok := strings.CutPrefix(key, "dkim "); ok && seen[key] == "pass" && j.aligned(d) {
			return "pass", d, "the mail server says dkim=pass"
		}
	}
	return "", "", ""
}

// note takes up one result and says whether it fits with those before.
func (j *judge) note(seen map[string]string, r AuthResult) bool {
	key := r.Method
	switch r.Method {
	case "dmarc":
		d, ok := r.Prop("header.from")
		if !ok || !strings.EqualFold(d, j.fromDomain()) {
			return true // about another From; it proves nothing
		}
	case "dkim":
		d, ok := r.Prop("header.d")
		if !ok {
			i, _ := r.Prop("header.i")
			_, d, ok = strings.Cut(i, "@")
		}
		if !ok {
			return true
		}
		key = "dkim " + strings.ToLower(d)
		if seen[key] == "pass" || r.Result != "pass" && seen[key] != "" {
			return true // one of several signatures of a domain is enough
		}
		seen[key] = r.Result
		return true
	default:
		return true
	}
	if old, ok := seen[key]; ok && old != r.Result {
		delete(seen, key)
		return false
	}
	seen[key] = r.Result
	return true
}

// trusted says whether results under an id count: it is configured, and the
// mail came through that server, which one laid into the mailbox by IMAP
// APPEND did not.
func (j *judge) trusted(id string) bool {
	if !slices.ContainsFunc(j.p.AuthservIDs, func(t string) bool { return strings.EqualFold(t, id) }) {
		return false
	}
	return slices.ContainsFunc(j.h.all("Received"), func(f field) bool { return sameHouse(receivedBy(f.value()), id) })
}

// receivedBy gives the host of the "by" clause (RFC 5321 section 4.4).
func receivedBy(v string) string {
	words := strings.Fields(v)
	for i, w := range words {
		if strings.EqualFold(w, "by") && i+1 < len(words) {
			return strings.Trim(words[i+1], ";()[]")
		}
	}
	return ""
}

// sameHouse says whether two host names belong to one registered domain; an
// id that is no host name must be equal.
func sameHouse(host, id string) bool {
	if strings.EqualFold(host, id) {
		return true
	}
	a, errA := publicsuffix.EffectiveTLDPlusOne(strings.ToLower(host))
	b, errB := publicsuffix.EffectiveTLDPlusOne(strings.ToLower(id))
	return errA == nil && errB == nil && a == b
}

// domainPolicy asks whether the domain wants unproved mail turned away (RFC
// 9989): then a mail without proof is a failure and not only a doubt.
func (j *judge) domainPolicy(ctx context.Context) {
	name := j.fromDomain()
	for step := 0; step < 8 && strings.Contains(name, "."); step++ {
		txt, err := lookupTXT(ctx, j.p.DNS, "_dmarc."+name)
		if err != nil {
			return // a policy that cannot be read enforces nothing
		}
		if p, found := enforces(txt, step > 0); found {
			if p {
				j.ev.E, j.ev.By = "fail", "dkim"
				j.ev.Why = strings.TrimPrefix(j.ev.Why+"; the domain "+name+" wants unproved mail turned away", "; ")
			}
			return
		}
		_, name, _ = strings.Cut(name, ".")
	}
	if j.ev.Why == "" {
		j.ev.Why = "nothing that signs for " + j.fromDomain()
	}
}

// enforces reads the one DMARC record among text records; below is true when
// it stands above the From domain, so that sp= outranks p=.
func enforces(txt []string, below bool) (enforcing, found bool) {
	for _, t := range txt {
		tags, err := parseTags(t)
		if err != nil || tags["v"] != "DMARC1" {
			continue
		}
		p := tags["p"]
		if sp, ok := tags["sp"]; ok && below {
			p = sp
		}
		p = strings.ToLower(p)
		return p == "reject" || p == "quarantine", true
	}
	return false, false
}
