package main

import (
	"context"
	"fmt"
	"net"
	"strings"
)

// advise adds the records that no key gives, and what is left to do.
func (c *initCmd) advise(ctx context.Context, out *founding, p provider, given bool) {
	_, domain, _ := strings.Cut(strings.ToLower(c.Address), "@")
	if p.tip != "" {
		out.Tips = append(out.Tips, p.tip)
	}
	if given {
		out.Tips = append(out.Tips, "SPF, DKIM and DMARC of "+domain+" are its provider's work: there is nothing to put into the DNS.")
		return
	}
	host, _, _ := server(c.SMTP, 587)
	lets := p.spf
	if lets == "" {
		lets = "a:" + host
		if loopback(host) {
			lets = "mx"
		}
	}
	spf := record{domain, "TXT", "v=spf1 " + lets + " ~all", "it lets the server that sends speak for " + domain}
	r := resolver(c.Resolver)
	if have := spfRecords(lookup(ctx, r, domain)); len(have) == 1 {
		if strings.Contains(" "+have[0]+" ", " "+lets+" ") {
			spf.Value, spf.Why = have[0], "it is there already, and right"
		} else {
			spf.Value = strings.Replace(have[0], "v=spf1", "v=spf1 "+lets, 1)
			spf.Why = "instead of the one that is there: a domain may have one alone"
		}
	}
	out.Records = append([]record{spf}, out.Records...)
	dmarc := record{"_dmarc." + domain, "TXT", "v=DMARC1; p=none", "big providers want it; write p=quarantine when all your mail is signed"}
	if have := dmarcRecords(lookup(ctx, r, dmarc.Name)); len(have) == 1 {
		dmarc.Value, dmarc.Why = have[0], "it is there already"
	}
	out.Records = append(out.Records, dmarc)
}

// lookup asks for TXT records; no answer is none.
func lookup(ctx context.Context, r *net.Resolver, name string) []string {
	ctx, cancel := context.WithTimeout(ctx, dnsTime)
	defer cancel()
	all, _ := r.LookupTXT(ctx, name)
	return all
}

// tell says what was made and what comes next.
func (out *founding) tell(e *env) error {
	var b strings.Builder
	b.WriteString("Written, for your eyes alone:\n")
	for _, f := range out.Files {
		fmt.Fprintf(&b, "  %s\n", f)
	}
	if len(out.Records) > 0 {
		b.WriteString("\nFor the DNS of your domain, each a TXT record:\n")
	}
	for _, r := range out.Records {
		fmt.Fprintf(&b, "\n  %s\n  %s\n      (%s)\n", r.Name, r.Value, r.Why)
	}
	if len(out.Records) > 0 {
		b.WriteString("\nA zone file holds at most 255 characters in quotes: write a longer record as\nseveral strings, \"v=DKIM1; …\" \"…\". Web forms take it whole.\n")
	}
	b.WriteString("\nNext:\n")
	for _, t := range out.Tips {
		fmt.Fprintf(&b, "  - %s\n", t)
	}
	fmt.Fprintf(&b, "  - Put the mailbox's password on the first line of %s.\n", out.Files[1])
	flag := ""
	if e.config != "galley.toml" {
		flag = " --config " + e.config
	}
	fmt.Fprintf(&b, "  - See what is missing still, the records or more: galley check%s\n", flag)
	fmt.Fprintf(&b, "  - Then: galley serve%s\n", flag)
	_, err := fmt.Fprint(e.stdout, b.String())
	return err
}
