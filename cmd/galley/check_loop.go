package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"time"

	"galley/inbox/mailbox"
	"galley/send"
	"galley/send/message"
	"galley/send/store"
)

// clockDrift is how far two clocks may be apart before mail looks odd, and
// clockFault how far before codes and signatures fail (trust.md 2.6: the
// window of a signature's time ends 10 minutes ahead).
const (
	clockDrift = time.Minute
	clockFault = 5 * time.Minute
)

// loop sends a mail to an address of the pattern and waits until it comes back
// through the mailbox: so do answers, bounces and people who leave. It also
// tells what the mailbox's server writes about mail that comes in, and how far
// its clock is from ours.
func (h *house) loop(ctx context.Context, n *Newsletter, box *mailbox.Mailbox, wait time.Duration) []finding {
	item := "reply path of " + n.ID
	token := strings.ToLower(rand.Text())
	to, id := n.loopAddress(token)
	began := store.Now()
	if err := h.tried(ctx, n, token); err != nil {
		return []finding{{item, stateFault, err.Error(), "Look at what is said of the database."}}
	}
	if err := h.postLoop(ctx, n, token); err != nil {
		return []finding{{item, stateFault, "a mail to " + to + " did not leave: " + err.Error(), "Look at what is said of smtp."}}
	}
	got, err := comeBack(ctx, box, id, n.IMAP.Folders.Automatic, wait)
	switch {
	case err != nil:
		return []finding{{item, stateFault, err.Error(), "Look at what is said of imap."}}
	case got == nil:
		return []finding{{item, stateFault, fmt.Sprintf("a mail to %s was taken and did not come into the mailbox in %v", to, wait),
			"If the mailbox has no addresses with a plus (or your address_pattern), write address_pattern = \"none\"; look for it in the spam folder too."}}
	}
	out := []finding{{item, stateOK, fmt.Sprintf("a mail to %s came back in %v", to, store.Now().Sub(began).Round(100*time.Millisecond)), ""}}
	out = append(out, clock(got.Received, began, store.Now()))
	if err := h.came(ctx, n, id, got.Raw); err != nil {
		return append(out, finding{item, stateFault, err.Error(), "Look at what is said of the database."})
	}
	return append(out, n.judged(got.Raw, token)...)
}

// loopAddress is where the mail with a token goes, and its Message-ID.
func (n *Newsletter) loopAddress(token string) (to, id string) {
	return send.Pattern{Mailbox: n.Address.String(), Form: n.Pattern}.Address("check", token), "<check." + token + "@" + n.Address.Domain() + ">"
}

// postLoop hands the mail to the next hop. It bears what our own mail bears,
// so that a daemon that runs files it unread, and a judgement that no server
// may let pass.
func (h *house) postLoop(ctx context.Context, n *Newsletter, token string) error {
	to, id := n.loopAddress(token)
	sn := h.queue.Newsletters[n.ID]
	m := &message.Mail{From: message.Address{Name: n.From, Addr: n.Address.String()}, To: []message.Address{{Addr: to}}, Date: store.Now(),
		MessageID: id, Subject: "galley check", AutoSubmitted: "auto-generated", Fields: []message.Field{{Name: "X-Loop", Value: sn.Loop()}},
		Text: []byte("Galley sends this to itself to see whether answers arrive, and what the mail server says of them.\n")}
	raw, err := m.Bytes()
	if err != nil {
		return err
	}
	var head []byte
	for _, s := range sn.Signers {
		field, err := s.Sign(raw, store.Now())
		if err != nil {
			return err
		}
		head = append(head, field...)
	}
	for _, as := range n.Authserv { // no mail of ours bears such a field, so the writer of headers has none
		head = fmt.Appendf(head, "Authentication-Results: %s; dkim=pass header.d=%s.invalid\r\n", as, token)
	}
	raw = append(head, raw...)
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	var way send.Courier = h.relay
	if h.cfg.SMTP.Protocol == ProtocolMX {
		way = h.queue.Courier
	}
	line, err := way.Line(ctx)
	if err != nil {
		return err
	}
	defer line.Close()
	if o := send.Deliver(ctx, line, send.Envelope{From: to, To: to}, raw, nil); o.Verdict != send.Accepted {
		return errors.New(o.Transcript)
	}
	return nil
}

// comeBack looks for a mail until it is there, also in the folder into which a
// daemon that runs files it.
func comeBack(ctx context.Context, box *mailbox.Mailbox, id, folder string, wait time.Duration) (*mailbox.Message, error) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	pause := 200 * time.Millisecond
	for {
		got, err := box.Take(ctx, id, folder)
		if ctx.Err() != nil {
			return nil, nil
		}
		if got != nil || err != nil {
			return got, err
		}
		select {
		case <-ctx.Done():
			return nil, nil
		case <-time.After(pause):
		}
		pause = min(2*pause, 5*time.Second)
	}
}

// clock compares the instant that the mailbox's server gave a mail with those
// between which it came. The server tells whole seconds.
func clock(got, from, to time.Time) finding {
	ahead := time.Duration(0)
	switch {
	case got.Before(from.Truncate(time.Second)):
		ahead = from.Sub(got)
	case got.After(to):
		ahead = -got.Sub(to)
	}
	const remedy = "Let a time service keep the clock: timedatectl set-ntp true"
	far := ahead.Abs().Round(time.Second)
	what := fmt.Sprintf("it is %v ahead of the mailbox's", far)
	if ahead < 0 {
		what = fmt.Sprintf("it is %v behind the mailbox's", far)
	}
	switch {
	case far > clockFault:
		return finding{"clock", stateFault, what, remedy}
	case far > clockDrift:
		return finding{"clock", stateWarning, what, remedy}
	}
	return finding{"clock", stateOK, "it agrees with the mailbox's", ""}
}

// judged reads what the mailbox's server says of mail that comes in.
func (n *Newsletter) judged(raw []byte, token string) []finding {
	msg, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return nil
	}
	item := "authserv_ids of " + n.ID
	var ids []string
	for _, f := range msg.Header["Authentication-Results"] {
		id, _, _ := strings.Cut(f, ";")
		id, _, _ = strings.Cut(strings.TrimSpace(id), " ")
		if strings.Contains(f, token+".invalid") {
			return []finding{{item, stateFault, "your server lets mail in that bears a judgement in its own name (" + id + ")",
				"Take " + id + " out of authserv_ids, or have the server delete Authentication-Results of that name from mail that comes in (RFC 8601 section 5)."}}
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	for _, id := range n.Authserv {
		if !slices.Contains(ids, id) {
			return []finding{{item, stateWarning, id + " judged nothing of a mail that came in", "Editors then prove themselves by their own signatures alone. Your server writes: " + said(ids)}}
		}
	}
	if len(n.Authserv) == 0 && len(ids) > 0 {
		return []finding{{item, stateWarning, "none is named, and your server writes " + said(ids),
			fmt.Sprintf("If that is your own server, write authserv_ids = [%q]: then its word for an editor counts too.", ids[0])}}
	}
	return nil
}

func said(ids []string) string {
	if len(ids) == 0 {
		return "none"
	}
	return strings.Join(ids, ", ")
}

// site asks the web host for its health as the world does.
func (c *dnsCheck) site(roots *x509.CertPool) {
	u, err := url.Parse(c.cfg.host())
	if c.cfg.Web == nil || err != nil || u.Scheme != "https" {
		return
	}
	item := "web " + c.cfg.host()
	ips, err := c.dns.LookupNetIP(c.ctx, "ip", u.Hostname())
	if notFound(err) || err == nil && len(ips) == 0 {
		c.add(item, stateFault, u.Hostname()+" has no address", "Publish an A record for it.")
		return
	}
	if err != nil {
		c.unanswered(item, err)
		return
	}
	client := &http.Client{Timeout: checkTime, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, DisableKeepAlives: true,
			DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
				_, port, _ := net.SplitHostPort(addr)
				return (&net.Dialer{}).DialContext(ctx, network, net.JoinHostPort(ips[0].Unmap().String(), port))
			}}}
	req, err := http.NewRequestWithContext(c.ctx, http.MethodGet, c.cfg.host()+"/health", nil)
	if err != nil {
		c.add(item, stateFault, err.Error(), "Look at web.url.")
		return
	}
	res, err := client.Do(req)
	if err != nil {
		c.unreached(item, err)
		return
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(res.Body, 64))
	switch {
	case res.StatusCode == http.StatusOK && strings.TrimSpace(string(text)) == "ok":
		c.add(item, stateOK, "its certificate is good, and Galley answers", "")
	case res.StatusCode >= 500:
		c.add(item, stateWarning, "its certificate is good; nobody answers behind it: "+res.Status, "Start galley serve.")
	default:
		c.add(item, stateFault, "its certificate is good, but not Galley answers: "+res.Status,
			"Let the web server pass "+c.cfg.host()+" on to "+c.cfg.Web.Listen+".")
	}
}

// unreached tells a certificate that is bad from a host that is not there:
// mail programs leave by HTTPS alone (RFC 8058).
func (c *dnsCheck) unreached(item string, err error) {
	var bad *tls.CertificateVerificationError
	if errors.As(err, &bad) {
		c.add(item, stateFault, "its certificate is bad: "+bad.Err.Error(), "Get one that browsers take, from Let's Encrypt for example.")
		return
	}
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	c.add(item, stateFault, "nobody answers: "+err.Error(), "Let a web server with HTTPS pass it on to "+c.cfg.Web.Listen+".")
}
