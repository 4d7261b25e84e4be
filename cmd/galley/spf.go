package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// spfWalk follows a record as a receiver does (RFC 7208), but all of it: it
// counts the questions and gathers who may send.
type spfWalk struct {
	dns     *net.Resolver
	lookups int
	nets    []netip.Prefix
	all     string   // the qualifier of "all", "" if there is none
	path    []string // the domains on the way here, against circles
	seen    []string // every domain that was read
}

// mostLookups is the bound of RFC 7208 section 4.6.4, behind which receivers
// give up.
const mostLookups = 10

// spfRecords are those records that are SPF (RFC 7208 section 4.5).
func spfRecords(txt []string) []string {
	var out []string
	for _, r := range txt {
		if strings.EqualFold(r, "v=spf1") || len(r) > 7 && strings.EqualFold(r[:7], "v=spf1 ") {
			out = append(out, r)
		}
	}
	return out
}

// errSPF is a fault of the record, which receivers call permerror.
type errSPF struct{ what string }

func (e errSPF) Error() string { return e.what }

// read follows the record of a domain.
func (w *spfWalk) read(ctx context.Context, domain string) error {
	if slices.Contains(w.path, domain) {
		return errSPF{"it leads back to " + domain}
	}
	w.path, w.seen = append(w.path, domain), append(w.seen, domain)
	txt, err := w.dns.LookupTXT(ctx, domain)
	if err != nil && !notFound(err) {
		return err
	}
	switch records := spfRecords(txt); {
	case len(records) == 1:
		return w.terms(ctx, domain, strings.Fields(records[0])[1:])
	case len(w.path) > 1:
		return errSPF{fmt.Sprintf("it leads to %s, which has %s", domain, countWords(len(records), "SPF record", "SPF records"))}
	case len(records) == 0:
		return errSPF{"there is no record"}
	default:
		return errSPF{fmt.Sprintf("there are %d records, and receivers then heed none", len(records))}
	}
}

// terms reads a record from left to right. What stands behind all is never
// read; redirect counts only where there is no all (RFC 7208 section 6.1).
func (w *spfWalk) terms(ctx context.Context, domain string, terms []string) error {
	redirect := ""
	for _, term := range terms {
		if to, ok := cutFold(term, "redirect="); ok {
			redirect = to
			continue
		}
		if i := strings.IndexAny(term, "=:/"); i > 0 && term[i] == '=' {
			continue // another modifier
		}
		qualifier := "+"
		if strings.Contains("+-~?", term[:1]) {
			qualifier, term = term[:1], term[1:]
		}
		if strings.EqualFold(term, "all") {
			w.all = qualifier
			return nil
		}
		if err := w.mechanism(ctx, domain, term, qualifier == "+"); err != nil {
			return err
		}
	}
	if redirect == "" {
		return nil
	}
	w.lookups++
	return w.read(ctx, redirect)
}

func (w *spfWalk) mechanism(ctx context.Context, domain, term string, pass bool) error {
	name, value, _ := strings.Cut(term, ":")
	name, mask, _ := strings.Cut(name, "/")
	target := value
	if strings.EqualFold(name, "a") || strings.EqualFold(name, "mx") {
		if value != "" {
			target, mask, _ = strings.Cut(value, "/")
		} else {
			target = domain
		}
	}
	switch name := strings.ToLower(name); name {
	case "ip4", "ip6":
		return w.network(value, pass)
	case "include":
		if w.lookups++; w.lookups > 2*mostLookups {
			return nil // enough is known
		}
		inner := spfWalk{dns: w.dns, path: slices.Clone(w.path)}
		err := inner.read(ctx, value)
		w.lookups += inner.lookups
		w.seen = append(w.seen, inner.seen...)
		if pass {
			w.nets = append(w.nets, inner.nets...)
		}
		return err
	case "a", "mx":
		w.lookups++
		if pass {
			w.hosts(ctx, name, target, mask)
		}
		return nil
	case "ptr", "exists":
		w.lookups++
		return nil
	}
	return errSPF{fmt.Sprintf("%q is no word of SPF", term)}
}

func (w *spfWalk) network(value string, pass bool) error {
	p, err := netip.ParsePrefix(value)
	if err != nil {
		a, err := netip.ParseAddr(value)
		if err != nil {
			return errSPF{fmt.Sprintf("%q is no address", value)}
		}
		p = netip.PrefixFrom(a, a.BitLen())
	}
	if pass {
		w.nets = append(w.nets, p)
	}
	return nil
}

// hosts gathers the addresses of a or mx. A host that is not there lets
// nobody send, which is no fault of the record.
func (w *spfWalk) hosts(ctx context.Context, kind, target, mask string) {
	names := []string{target}
	if kind == "mx" {
		names = nil
		all, _ := w.dns.LookupMX(ctx, target)
		for _, mx := range all {
			names = append(names, mx.Host)
		}
	}
	for _, n := range names {
		ips, _ := w.dns.LookupNetIP(ctx, "ip", n)
		for _, ip := range ips {
			bits := ip.Unmap().BitLen()
			if mask != "" && ip.Unmap().Is4() {
				fmt.Sscanf(mask, "%d", &bits)
			}
			w.nets = append(w.nets, netip.PrefixFrom(ip.Unmap(), bits).Masked())
		}
	}
}

// lets tells whether the record lets an address send.
func (w *spfWalk) lets(ip netip.Addr) bool {
	for _, n := range w.nets {
		if n.Contains(ip.Unmap()) {
			return true
		}
	}
	return w.all == "+"
}

func cutFold(s, prefix string) (string, bool) {
	if len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix) {
		return s[len(prefix):], true
	}
	return s, false
}

// notFound tells that the DNS answered: there is nothing.
func notFound(err error) bool {
	var missing *net.DNSError
	return errors.As(err, &missing) && missing.IsNotFound
}
