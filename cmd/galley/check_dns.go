package main

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"

	"galley/send"
	"galley/send/message"
)

// dnsCheck asks the DNS what the servers of the readers will ask it.
type dnsCheck struct {
	ctx context.Context
	dns *net.Resolver
	cfg *Config
	out []finding

	mute error // the last question that got no answer
}

// add notes a finding; what is empty is fine.
func (c *dnsCheck) add(item, state, what, remedy string) {
	c.out = append(c.out, finding{item, state, what, remedy})
}

// unanswered notes that the DNS was silent: that is no fault of a record.
func (c *dnsCheck) unanswered(item string, err error) {
	c.mute = fmt.Errorf("%s: %w", item, err)
	c.add(item, stateWarning, "the DNS did not answer: "+err.Error(), "Look again later, or name another server with --resolver.")
}

// silent tells that no DNS server answers at all.
func (c *dnsCheck) silent(domain string) error {
	ctx, cancel := context.WithTimeout(c.ctx, dnsTime)
	defer cancel()
	_, err := c.dns.LookupTXT(ctx, domain)
	var fault *net.DNSError
	if err != nil && !notFound(err) && (errors.As(err, &fault) && fault.IsTimeout || ctx.Err() != nil) {
		return err
	}
	return nil
}

// newsletter looks at every record that mail of a newsletter needs.
func (c *dnsCheck) newsletter(n *Newsletter, signers []*message.Signer) {
	domain := n.Address.Domain()
	p := send.Pattern{Mailbox: n.Address.String(), Form: n.Pattern}
	_, bounce, _ := strings.Cut(p.Address("b", "x"), "@")
	ours := true
	for _, known := range providers {
		if strings.Contains(" "+known.names+" ", " "+domain+" ") {
			ours = false // its records are not ours to mend
		}
	}
	if ours {
		c.spf(bounce)
		strict := c.dmarc(domain)
		c.aligned(domain, bounce, signers, strict)
	}
	c.mx(domain)
	if bounce != domain {
		c.mx(bounce)
	}
}

// spf looks at the record of the domain that bounces go to, by which
// receivers judge the server that hands the mail over.
func (c *dnsCheck) spf(domain string) {
	item := "spf " + domain
	w := &spfWalk{dns: c.dns}
	err := w.read(c.ctx, domain)
	var bad errSPF
	const one = "Publish one TXT record that begins v=spf1 and names every server that sends for this domain; galley init shows one."
	switch {
	case errors.As(err, &bad):
		c.add(item, stateFault, bad.what, one)
		return
	case err != nil:
		c.unanswered(item, err)
		return
	case w.lookups > mostLookups:
		c.add(item, stateFault, fmt.Sprintf("receivers have to ask %d times and give up after %d", w.lookups, mostLookups),
			"Take out includes of services that send nothing any more, or write their networks as ip4:.")
		return
	case w.all == "+":
		c.add(item, stateFault, "it lets everybody send (+all)", "End it with ~all.")
		return
	}
	c.sender(item, w)
}

// sender compares the record with who sends.
func (c *dnsCheck) sender(item string, w *spfWalk) {
	host := c.cfg.SMTP.Host
	if p, known := hosting(host); known {
		if to, ok := strings.CutPrefix(p.spf, "include:"); ok && !slices.Contains(w.seen, to) {
			c.add(item, stateFault, "it does not let "+host+"'s provider send", "Add "+p.spf+" to it.")
			return
		}
		c.add(item, stateOK, fmt.Sprintf("one record, %s", countWords(w.lookups, "question", "questions")), "")
		return
	}
	ips, name := c.outside()
	if len(ips) == 0 {
		c.add(item, stateOK, fmt.Sprintf("one record, %s; whether it lets %s send cannot be told from here", countWords(w.lookups, "question", "questions"), name), "")
		return
	}
	for _, ip := range ips {
		if !w.lets(ip) {
			c.add(item, stateFault, fmt.Sprintf("it does not let %s (%s) send", name, ip), "Add a:"+name+" to it, or the network that mail leaves from.")
			return
		}
	}
	c.add(item, stateOK, fmt.Sprintf("one record, %s; it lets %s send", countWords(w.lookups, "question", "questions"), name), "")
}

// outside is the host that hands our mail to the world, as far as it can be
// known: the next hop, or this machine where the next hop is on it.
func (c *dnsCheck) outside() (ips []netip.Addr, name string) {
	name = c.cfg.SMTP.Host
	if name == "" || loopback(name) {
		name = c.cfg.SMTP.Hello
	}
	if name == "" {
		return nil, "this machine"
	}
	all, err := c.dns.LookupNetIP(c.ctx, "ip", name)
	if err != nil {
		return nil, name
	}
	for _, ip := range all {
		if ip = ip.Unmap(); !ip.IsLoopback() && !ip.IsPrivate() {
			ips = append(ips, ip)
		}
	}
	return ips, name
}

// dmarcRecords are those records that are DMARC (RFC 9989): v comes first.
func dmarcRecords(txt []string) []string {
	var out []string
	for _, r := range txt {
		if v, _, _ := strings.Cut(r, ";"); strings.ReplaceAll(strings.ToLower(v), " ", "") == "v=dmarc1" {
			out = append(out, r)
		}
	}
	return out
}

// tags reads "a=b; c=d".
func tags(record string) map[string]string {
	out := map[string]string{}
	for part := range strings.SplitSeq(record, ";") {
		if name, value, ok := strings.Cut(part, "="); ok {
			out[strings.ToLower(strings.TrimSpace(name))] = strings.TrimSpace(value)
		}
	}
	return out
}

// strictness is what a DMARC record demands of the domains beside From.
type strictness struct{ dkim, spf bool }

// dmarc looks at the policy of a domain, or of the one it belongs to.
func (c *dnsCheck) dmarc(domain string) (s strictness) {
	item := "dmarc " + domain
	records, err := c.policy(domain)
	if org := organisation(domain); err == nil && len(records) == 0 && org != domain {
		records, err = c.policy(org)
	}
	const remedy = "Publish one TXT record _dmarc."
	switch {
	case err != nil:
		c.unanswered(item, err)
		return s
	case len(records) == 0:
		c.add(item, stateFault, "there is no record, and big providers refuse lists without one", remedy+domain+"  v=DMARC1; p=none")
		return s
	case len(records) > 1:
		c.add(item, stateFault, fmt.Sprintf("there are %d records, and receivers then heed none", len(records)), remedy+domain)
		return s
	}
	t := tags(records[0])
	s = strictness{strings.EqualFold(t["adkim"], "s"), strings.EqualFold(t["aspf"], "s")}
	switch p := strings.ToLower(t["p"]); p {
	case "none", "quarantine", "reject":
		c.add(item, stateOK, "p="+p, "")
	case "":
		c.add(item, stateFault, "the record has no p=", "Write v=DMARC1; p=none")
	default:
		c.add(item, stateFault, fmt.Sprintf("p=%s is no policy", p), "Write p=none, p=quarantine or p=reject.")
	}
	return s
}

func (c *dnsCheck) policy(domain string) ([]string, error) {
	txt, err := c.dns.LookupTXT(c.ctx, "_dmarc."+domain)
	if notFound(err) {
		err = nil
	}
	return dmarcRecords(txt), err
}

// organisation is the domain that somebody has registered.
func organisation(domain string) string {
	org, err := publicsuffix.EffectiveTLDPlusOne(domain)
	if err != nil {
		return domain
	}
	return org
}

// aligned compares the domains that prove something with that of From:
// Microsoft wants both (trust.md section 1.1).
func (c *dnsCheck) aligned(domain, bounce string, signers []*message.Signer, s strictness) {
	item := "alignment " + domain
	fits := func(other string, strict bool) bool {
		return other == domain || !strict && organisation(other) == organisation(domain)
	}
	good := true
	if !fits(bounce, s.spf) {
		good = false
		c.add(item, stateFault, fmt.Sprintf("bounces go to %s, so SPF proves nothing for %s", bounce, domain), "Write address_pattern with @domain, or a domain under "+organisation(domain)+".")
	}
	if len(signers) > 0 && !slices.ContainsFunc(signers, func(k *message.Signer) bool { return fits(k.Domain, s.dkim) }) {
		good = false
		c.add(item, stateFault, fmt.Sprintf("no signature counts: d=%s, and DMARC wants %s itself (adkim=s)", signers[0].Domain, domain), "Sign with a [[dkim]] key of "+domain+", or publish adkim=r.")
	}
	if good {
		c.add(item, stateOK, "SPF and DKIM prove the domain of From", "")
	}
}

// key compares a DKIM key with its record.
func (c *dnsCheck) key(s *message.Signer) {
	name := s.Selector + "._domainkey." + s.Domain
	item, want := "dkim "+name, message.TXT(s.Key)
	remedy := "Publish TXT " + name + "  " + want
	txt, err := c.dns.LookupTXT(c.ctx, name)
	if err != nil && !notFound(err) {
		c.unanswered(item, err)
		return
	}
	state, what := keyFault(txt, s.Key)
	if what == "" {
		c.add(item, stateOK, "the record holds our key", "")
		return
	}
	c.add(item, state, what, remedy)
}

// keyFault tells what is wrong with the record of a key, "" if nothing is.
func keyFault(records []string, key crypto.Signer) (state, what string) {
	if len(records) == 0 {
		return stateFault, "there is no record"
	}
	if len(records) > 1 {
		return stateFault, fmt.Sprintf("there are %d records, and receivers take any", len(records))
	}
	have, want := tags(records[0]), tags(message.TXT(key))
	p, revoked := have["p"]
	switch kind := have["k"]; {
	case !revoked:
		return stateFault, "the record is no DKIM key"
	case strings.Join(strings.Fields(p), "") == "":
		return stateFault, "the key is revoked: its p= is empty"
	case kind == "" && want["k"] == "ed25519", kind != "" && kind != want["k"] && !(kind == "rsa" && want["k"] == ""):
		return stateFault, "the record is of another kind of key"
	case strings.Join(strings.Fields(p), "") != want["p"]:
		return stateFault, "the record holds another key"
	case have["h"] != "" && !slices.Contains(strings.Split(strings.ReplaceAll(have["h"], " ", ""), ":"), "sha256"):
		return stateFault, "the record forbids SHA-256 (h=)"
	case slices.Contains(strings.Split(have["t"], ":"), "y"):
		return stateFault, "the record says that it is a test (t=y), and receivers then heed no signature"
	}
	return "", ""
}

// mx looks whether mail to a domain arrives: answers and bounces do then.
func (c *dnsCheck) mx(domain string) {
	item := "mx " + domain
	const remedy = "Publish an MX record that names the server of your mailbox."
	hosts, err := c.dns.LookupMX(c.ctx, domain)
	switch {
	case err != nil && !notFound(err):
		c.unanswered(item, err)
		return
	case len(hosts) == 0:
		c.add(item, stateFault, "there is no record, so answers and bounces do not come back", remedy)
		return
	case len(hosts) == 1 && hosts[0].Host == ".":
		c.add(item, stateFault, "the domain says that it takes no mail (RFC 7505)", remedy)
		return
	}
	for _, h := range hosts {
		if ips, err := c.dns.LookupNetIP(c.ctx, "ip", h.Host); notFound(err) || err == nil && len(ips) == 0 {
			c.add(item, stateFault, strings.TrimSuffix(h.Host, ".")+" has no address", "Give that host an A record, or take it out of the MX records.")
			return
		}
	}
	c.add(item, stateOK, countWords(len(hosts), "server takes", "servers take")+" its mail", "")
}

// reverse looks whether the host that sends has a name, and the name the host
// (Gmail's and Yahoo's rules for senders). A provider's hosts are its own
// business.
func (c *dnsCheck) reverse() {
	if _, known := hosting(c.cfg.SMTP.Host); known {
		return
	}
	ips, host := c.outside()
	if len(ips) == 0 {
		c.add("ptr "+host, stateWarning, "the address that mail leaves from is not known here", "Name the host that sends in smtp.hello.")
		return
	}
	for _, ip := range ips {
		c.named(host, ip)
	}
}

func (c *dnsCheck) named(host string, ip netip.Addr) {
	item := "ptr " + ip.String()
	names, err := c.dns.LookupAddr(c.ctx, ip.String())
	switch {
	case err != nil && !notFound(err):
		c.unanswered(item, err)
		return
	case len(names) == 0:
		c.add(item, stateFault, host+" has no reverse name", "Ask whoever gave you the address for a PTR record with "+host+".")
		return
	}
	for _, n := range names {
		back, _ := c.dns.LookupNetIP(c.ctx, "ip", n)
		if slices.ContainsFunc(back, func(a netip.Addr) bool { return a.Unmap() == ip }) {
			c.add(item, stateOK, "its name is "+strings.TrimSuffix(n, "."), "")
			return
		}
	}
	c.add(item, stateFault, fmt.Sprintf("its name %s leads elsewhere", strings.TrimSuffix(names[0], ".")), "Let name and address lead to each other: PTR "+host+", and A "+ip.String()+".")
}
