package main

import (
	"context"
	"net"
	"strings"
)

// provider is what is known of a company where mailboxes are.
type provider struct {
	names    string // domains of addresses that it gives away, which nobody else can put records into
	mx       string // end of the host names that take its mail in: a domain of somebody's own is there
	imap     string // host
	smtp     string // host:port
	spf      string // what lets it send for a domain of somebody's own
	tip      string // what people have to know before they can log in
	noTokens bool   // it has no plus-addresses, so that answers cannot carry a token
}

// providers are those whose hosts are no guess. The tables of programs that
// set up mail accounts say the same.
var providers = []provider{
	{names: "gmail.com googlemail.com", mx: "google.com", imap: "imap.gmail.com", smtp: "smtp.gmail.com:587", spf: "include:_spf.google.com",
		tip: "Google wants an app password (myaccount.google.com/apppasswords), or a token: mechanism = \"xoauth2\" with password_command."},
	{names: "outlook.com hotmail.com live.com msn.com", mx: "outlook.com", imap: "outlook.office365.com", smtp: "smtp-mail.outlook.com:587", spf: "include:spf.protection.outlook.com",
		tip: "Microsoft takes no passwords: write mechanism = \"xoauth2\" and a password_command that prints a token."},
	{names: "fastmail.com fastmail.fm", mx: "messagingengine.com", imap: "imap.fastmail.com", smtp: "smtp.fastmail.com:465", spf: "include:spf.messagingengine.com",
		tip: "Fastmail wants an app password: Settings, Privacy & Security, Integrations."},
	{names: "yahoo.com ymail.com aol.com", mx: "yahoodns.net", imap: "imap.mail.yahoo.com", smtp: "smtp.mail.yahoo.com:465", noTokens: true,
		tip: "Yahoo wants an app password: Account Security."},
	{names: "icloud.com me.com mac.com", mx: "icloud.com", imap: "imap.mail.me.com", smtp: "smtp.mail.me.com:587", spf: "include:icloud.com",
		tip: "Apple wants an app-specific password (account.apple.com)."},
	{names: "gmx.net gmx.de gmx.at gmx.ch", mx: "gmx.net", imap: "imap.gmx.net", smtp: "mail.gmx.net:587", noTokens: true,
		tip: "GMX has to be told that IMAP is wanted: Settings, POP3 & IMAP."},
	{names: "web.de", mx: "web.de", imap: "imap.web.de", smtp: "smtp.web.de:587", noTokens: true,
		tip: "Web.de has to be told that IMAP is wanted: Settings, POP3/IMAP."},
	{names: "posteo.de posteo.net", mx: "posteo.de", imap: "posteo.de", smtp: "posteo.de:465"},
	{names: "mailbox.org", mx: "mailbox.org", imap: "imap.mailbox.org", smtp: "smtp.mailbox.org:465", spf: "include:mailbox.org"},
	{names: "zoho.com zohomail.com", mx: "zoho.com", imap: "imap.zoho.com", smtp: "smtp.zoho.com:465", spf: "include:zohomail.com"},
	{names: "zohomail.eu", mx: "zoho.eu", imap: "imap.zoho.eu", smtp: "smtp.zoho.eu:465", spf: "include:zohomail.eu"},
	{mx: "migadu.com", imap: "imap.migadu.com", smtp: "smtp.migadu.com:465", spf: "include:spf.migadu.com"},
	{mx: "hostedemail.com", imap: "mail.hover.com", smtp: "mail.hover.com:465"},
	{mx: "ovh.net", imap: "ssl0.ovh.net", smtp: "ssl0.ovh.net:465", spf: "include:mx.ovh.com"},
	{mx: "gandi.net", imap: "mail.gandi.net", smtp: "mail.gandi.net:465", spf: "include:_mailcust.gandi.net"},
	{mx: "infomaniak.ch", imap: "mail.infomaniak.com", smtp: "mail.infomaniak.com:465", spf: "include:spf.infomaniak.ch"},
}

// guess finds the provider of an address: by its domain, else by the hosts
// that take its domain's mail in. given tells that the domain is the
// provider's own. Without either the hosts are those that most servers have.
func guess(ctx context.Context, r *net.Resolver, domain string) (p provider, given bool) {
	for _, p := range providers {
		if strings.Contains(" "+p.names+" ", " "+domain+" ") {
			return p, true
		}
	}
	ctx, cancel := context.WithTimeout(ctx, dnsTime)
	defer cancel()
	hosts, _ := r.LookupMX(ctx, domain) // no answer is one more that is not known
	for _, mx := range hosts {
		host := strings.TrimSuffix(strings.ToLower(mx.Host), ".")
		for _, p := range providers {
			if within(host, p.mx) && p.imap != "" {
				return p, false
			}
		}
	}
	return provider{imap: "imap." + domain, smtp: "smtp." + domain + ":587"}, false
}

// hosting finds the provider by the host that mail is handed to.
func hosting(host string) (provider, bool) {
	for _, p := range providers {
		if name, _, _ := net.SplitHostPort(p.smtp); name != "" && strings.EqualFold(name, host) {
			return p, true
		}
	}
	return provider{}, false
}

// resolver asks the server at addr, "" for those of the system.
func resolver(addr string) *net.Resolver {
	if addr == "" {
		return net.DefaultResolver
	}
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, addr)
	}}
}
