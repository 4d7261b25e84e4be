package send

import "strings"

// providers groups the domains of one house, which judges senders for all of
// them alike. A domain that is not here is a provider of its own: who hosts
// the mail of a company is its own affair, and its rules may be its own.
var providers = map[string]string{
	"googlemail.com": "gmail.com",
	"hotmail.com":    "outlook.com", "live.com": "outlook.com", "msn.com": "outlook.com", "passport.com": "outlook.com",
	"hotmail.co.uk": "outlook.com", "hotmail.fr": "outlook.com", "hotmail.de": "outlook.com", "hotmail.it": "outlook.com", "hotmail.es": "outlook.com",
	"live.co.uk": "outlook.com", "live.fr": "outlook.com", "live.de": "outlook.com", "live.nl": "outlook.com", "live.ca": "outlook.com",
	"outlook.de": "outlook.com", "outlook.fr": "outlook.com", "outlook.es": "outlook.com", "outlook.it": "outlook.com",
	"ymail.com": "yahoo.com", "rocketmail.com": "yahoo.com", "aol.com": "yahoo.com", "aim.com": "yahoo.com", "netscape.net": "yahoo.com",
	"yahoo.co.uk": "yahoo.com", "yahoo.fr": "yahoo.com", "yahoo.de": "yahoo.com", "yahoo.it": "yahoo.com", "yahoo.es": "yahoo.com",
	"yahoo.ca": "yahoo.com", "yahoo.co.in": "yahoo.com", "yahoo.com.br": "yahoo.com", "yahoo.com.au": "yahoo.com",
	"me.com": "icloud.com", "mac.com": "icloud.com",
	"gmx.net": "gmx.de", "gmx.at": "gmx.de", "gmx.ch": "gmx.de", "gmx.com": "gmx.de", "web.de": "gmx.de", "mail.com": "gmx.de",
	"pm.me": "proton.me", "protonmail.com": "proton.me", "protonmail.ch": "proton.me",
	"yandex.com": "yandex.ru", "ya.ru": "yandex.ru",
	"bk.ru": "mail.ru", "inbox.ru": "mail.ru", "list.ru": "mail.ru",
	"foxmail.com": "qq.com", "126.com": "163.com", "yeah.net": "163.com",
}

// provider names the house that takes the mail of an address: its domain, or
// the chief one of a house with many. Both are in lower case, as an address of
// the list is.
func provider(addr string) string {
	domain := strings.ToLower(addr[strings.LastIndexByte(addr, '@')+1:])
	if chief := providers[domain]; chief != "" {
		return chief
	}
	return domain
}
