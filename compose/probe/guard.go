package probe

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strings"

	"code.dny.dev/ssrf"
)

// guard refuses every address that is not public, this machine's own ones, and
// every port but 80 and 443 (trust.md 2.5).
func guard(opts ...ssrf.Option) *ssrf.Guardian {
	v4, v6 := own()
	return ssrf.New(append([]ssrf.Option{ssrf.WithDeniedV4Prefixes(v4...), ssrf.WithDeniedV6Prefixes(v6...)}, opts...)...)
}

// own lists this machine's addresses: a public one of them may serve, to its
// neighbours, what it serves to nobody else.
func own() (v4, v6 []netip.Prefix) {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil, nil // the ranges that are never public stay refused
	}
	for _, a := range all {
		p, err := netip.ParsePrefix(a.String())
		if err != nil {
			continue
		}
		addr := p.Addr().Unmap().WithZone("")
		one := netip.PrefixFrom(addr, addr.BitLen())
		if addr.Is4() {
			v4 = append(v4, one)
		} else {
			v6 = append(v6, one)
		}
	}
	return v4, v6
}

// askable tells whether a URL may be asked at all, and if not, why.
func askable(u *url.URL) (State, string) {
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return Forbidden, "other-scheme"
	case host == "":
		return Forbidden, "no-host-named"
	case u.User != nil:
		return Forbidden, "password"
	case u.Port() != "" && u.Port() != "80" && u.Port() != "443":
		return Forbidden, "other-port"
	case reserved(host):
		return Reserved, "reserved"
	}
	return "", ""
}

// reserved names of RFC 2606 section 2 and 3 and RFC 6761; example.com and its
// siblings give a page that says nothing.
func reserved(host string) bool {
	for _, name := range []string{"example", "invalid", "test", "localhost", "example.com", "example.net", "example.org"} {
		if host == name || strings.HasSuffix(host, "."+name) {
			return true
		}
	}
	return false
}

// guarded tells whether it was the guard that kept a connection from being made.
func guarded(err error) bool {
	return errors.Is(err, ssrf.ErrProhibitedIP) || errors.Is(err, ssrf.ErrProhibitedPort) || errors.Is(err, ssrf.ErrProhibitedNetwork)
}
