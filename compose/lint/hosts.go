package lint

import (
	"net/url"
	"strings"
)

// shorteners hide where a link leads and die with their owners; junk filters
// know them too. Hosts that shorten only their own owner's links (youtu.be,
// doi.org) lead where they say and are not here.
var shorteners = map[string]bool{
	"bit.ly": true, "j.mp": true, "bitly.com": true, "t.co": true, "goo.gl": true, "tinyurl.com": true, "ow.ly": true,
	"buff.ly": true, "is.gd": true, "v.gd": true, "lnkd.in": true, "dlvr.it": true, "ift.tt": true, "trib.al": true,
	"rebrand.ly": true, "cutt.ly": true, "shorturl.at": true, "rb.gy": true, "t.ly": true, "tiny.cc": true, "soo.gd": true,
	"s.id": true, "bl.ink": true, "snip.ly": true, "short.io": true, "adf.ly": true, "mcaf.ee": true, "hubs.ly": true,
	"hubs.la": true, "po.st": true, "u.to": true, "qr.ae": true, "amzn.to": true, "nyti.ms": true, "wp.me": true,
	"fb.me": true, "db.tt": true, "geni.us": true, "urlz.fr": true, "clck.ru": true, "tr.im": true, "x.co": true,
}

func isShortener(u *url.URL) bool {
	return shorteners[strings.TrimPrefix(strings.ToLower(u.Hostname()), "www.")]
}

// relative tells of a link that leads nowhere from within a mail: it names a
// page without saying on which site.
func relative(u *url.URL) bool {
	return u.Scheme == "" && u.Host == "" && u.Path != ""
}
