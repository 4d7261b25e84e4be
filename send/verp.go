package send

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// DefaultForm is the pattern of addresses that most servers know.
const DefaultForm = "local+KIND-TOKEN@domain"

// NoForm says that the mailbox has no second address: tokens then travel in
// the Subject, In-Reply-To and the Message-ID.
const NoForm = "none"

// Pattern makes the addresses that are handed out, and reads those that come
// back. Form is DefaultForm when empty; in it the words local and domain
// stand for the mailbox's own parts.
type Pattern struct {
	Mailbox string // local@domain
	Form    string
}

// Check tells what is wrong with a pattern.
func (p Pattern) Check() error {
	if strings.Count(p.Mailbox, "@") != 1 {
		return fmt.Errorf("address pattern: %q is not the address of a mailbox", p.Mailbox)
	}
	if p.Form == NoForm {
		return nil
	}
	pre, mid, post := p.cut()
	if mid == "" || pre+mid+post == "" || strings.Count(p.form(), "@") != 1 || !strings.Contains(post, "@") || strings.HasSuffix(post, "@") {
		return fmt.Errorf("address pattern %q: it needs KIND, something between, TOKEN and then @, as in %s", p.Form, DefaultForm)
	}
	const longest = len("approve") + 26 // a code of 128 bits, and the longest kind it goes with
	if local, _, _ := strings.Cut(pre+mid+post, "@"); len(local)+longest > 64 {
		return fmt.Errorf("address pattern %q: addresses would be longer than the 64 characters that RFC 5321 allows before the @", p.Form)
	}
	if p.Address("kind", "token") == strings.ToLower(p.Mailbox) {
		return errors.New("address pattern: it makes the mailbox's own address")
	}
	return nil
}

// form is the pattern with the mailbox's parts put in.
func (p Pattern) form() string {
	local, domain, _ := strings.Cut(strings.ToLower(p.Mailbox), "@")
	form := p.Form
	if form == "" {
		form = DefaultForm
	}
	left, right, _ := strings.Cut(form, "@")
	left = strings.Replace(left, "local", local, 1)
	return left + "@" + strings.Replace(right, "domain", domain, 1)
}

// cut gives what stands before KIND, between KIND and TOKEN, and behind TOKEN.
func (p Pattern) cut() (pre, mid, post string) {
	pre, rest, ok := strings.Cut(p.form(), "KIND")
	if !ok {
		return "", "", ""
	}
	mid, post, ok = strings.Cut(rest, "TOKEN")
	if !ok {
		return "", "", ""
	}
	return pre, mid, post
}

// Address returns the address for a kind of answer, with its token or, where
// that is empty, without. A pattern of none gives the mailbox itself.
func (p Pattern) Address(kind, token string) string {
	if p.Form == NoForm {
		return p.Mailbox
	}
	pre, mid, post := p.cut()
	if token == "" {
		mid = ""
	}
	return pre + kind + mid + token + post
}

// Mailto returns the mailto: URL that leads to the same answer. Where there
// is no second address the words go into the Subject.
func (p Pattern) Mailto(kind, token string) string {
	subject := kind
	if kind == KindUnsubscribe {
		subject = "unsubscribe"
	}
	if p.Form == NoForm && token != "" {
		subject += " " + token
	}
	// RFC 6068 section 2: a plus sign may stand, a space must not.
	return "mailto:" + p.Address(kind, token) + "?subject=" + url.PathEscape(subject)
}

// Parse reads an address of this pattern, in whatever case it comes back and
// behind a forwarder's SRS0 or SRS1.
func (p Pattern) Parse(addr string) (kind, token string, ok bool) {
	addr = unwrap(strings.ToLower(strings.Trim(strings.TrimSpace(addr), "<>")))
	pre, mid, post := p.cut()
	if p.Form == NoForm || mid == "" || len(addr) < len(pre)+len(post) || !strings.HasPrefix(addr, pre) || !strings.HasSuffix(addr, post) {
		return "", "", false
	}
	kind, token, _ = strings.Cut(addr[len(pre):len(addr)-len(post)], mid)
	if kind == "" || strings.ContainsFunc(kind+token, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') }) {
		return "", "", false
	}
	return kind, token, true
}

// unwrap undoes the sender rewriting of forwarders:
// SRS0=hash=time=domain=local@forwarder and
// SRS1=hash=forwarder==hash=time=domain=local@second.
func unwrap(addr string) string {
	at := strings.LastIndexByte(addr, '@')
	if at < 0 || len(addr) < 6 || !strings.ContainsRune("=+-", rune(addr[4])) {
		return addr
	}
	local := addr[:at]
	switch local[:min(4, len(local))] {
	case "srs0":
		local = local[5:]
	case "srs1":
		_, rest, found := strings.Cut(local, "==")
		if !found {
			return addr
		}
		local = rest
	default:
		return addr
	}
	parts := strings.SplitN(local, "=", 4)
	if len(parts) < 4 {
		return addr
	}
	return parts[3] + "@" + parts[2]
}

// The kinds of addresses that send hands out and reads.
const (
	KindBounce      = "b"
	KindUnsubscribe = "unsub"
)
