package lint

import (
	"net/url"
	"strings"

	"golang.org/x/net/idna"
)

// tracking are query parameters that say where a reader came from and never
// what page is meant. "utm_" stands for all that begin so.
var tracking = map[string]bool{
	"fbclid": true, "gclid": true, "dclid": true, "gbraid": true, "wbraid": true,
	"msclkid": true, "yclid": true, "twclid": true, "ttclid": true, "igshid": true,
	"li_fat_id": true, "mc_cid": true, "mc_eid": true, "mkt_tok": true,
	"_hsenc": true, "_hsmi": true, "vero_id": true, "oly_enc_id": true,
	"oly_anon_id": true, "ml_subscriber": true, "ml_subscriber_hash": true,
	"ck_subscriber_id": true, "s_cid": true, "wickedid": true, "_openstat": true,
}

// Canonical returns the form by which a link is known again: host in lower case
// and as A-labels (RFC 5891), without default port, tracking parameters and
// fragment. Fragments that choose the page ("#!") or a place in its text
// ("#:~:text") stay. Percent-encoding, letter case of the path and the order of
// the query are the site's affair and stay too. What is no web address comes back
// trimmed and otherwise as it was.
func Canonical(rawURL string) string {
	rawURL = strings.TrimSpace(rawURL)
	u, err := url.Parse(rawURL)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return rawURL
	}
	u.Host = canonicalHost(u)
	if u.Path == "" {
		u.Path = "/"
	}
	u.RawQuery = withoutTracking(u.RawQuery)
	u.ForceQuery = false
	if f := u.EscapedFragment(); !strings.HasPrefix(f, "!") && !strings.HasPrefix(f, ":~:text") {
		u.Fragment, u.RawFragment = "", ""
	}
	return u.String()
}

func canonicalHost(u *url.URL) string {
	host := strings.ToLower(strings.TrimRight(u.Hostname(), "."))
	if ascii, err := idna.Lookup.ToASCII(host); err == nil {
		host = ascii
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]" // RFC 3986 section 3.2.2
	}
	port := u.Port()
	if port == "" || (u.Scheme == "http" && port == "80") || (u.Scheme == "https" && port == "443") {
		return host
	}
	return host + ":" + port
}

func withoutTracking(query string) string {
	if query == "" {
		return ""
	}
	var kept []string
	for pair := range strings.SplitSeq(query, "&") {
		if !isTracking(pair) {
			kept = append(kept, pair)
		}
	}
	return strings.Join(kept, "&")
}

func isTracking(pair string) bool {
	name, _, _ := strings.Cut(pair, "=")
	name = strings.ToLower(name)
	return tracking[name] || strings.HasPrefix(name, "utm_")
}

// tracked returns the tracking parameters of a link, as they stand in it.
func tracked(rawURL string) []string {
	_, query, _ := strings.Cut(rawURL, "?")
	query, _, _ = strings.Cut(query, "#")
	var found []string
	for pair := range strings.SplitSeq(query, "&") {
		if isTracking(pair) {
			name, _, _ := strings.Cut(pair, "=")
			found = append(found, name)
		}
	}
	return found
}
