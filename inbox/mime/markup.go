package mime

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

func itoa(n int) string { return strconv.Itoa(n) }

func isVoid(name string) bool {
	switch name {
	case "area", "base", "col", "embed", "input", "link", "meta", "param", "source", "track", "wbr", "basefont", "frame":
		return true
	}
	return false
}

// isForeign names elements that may close themselves (Word's namespaces, SVG).
func isForeign(name string) bool {
	return strings.Contains(name, ":") || name == "svg" || name == "path"
}

func isParagraph(name string) bool {
	switch name {
	case "p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "pre":
		return true
	}
	return false
}

func isBlock(name string) bool {
	switch name {
	case "div", "tr", "li", "table", "tbody", "thead", "tfoot", "blockquote", "section", "article", "header", "footer", "main", "aside",
		"nav", "address", "center", "dt", "dd", "figure", "figcaption", "form", "fieldset", "body", "html", "details", "summary", "caption":
		return true
	}
	return isParagraph(name)
}

func isHidden(name string) bool {
	switch name {
	case "head", "script", "style", "title", "template", "svg", "object", "iframe", "select":
		return true
	}
	return false
}

// hasMark knows the classes and ids that mail programs give to quoted mail
// and signatures.
func hasMark(attr attributes) Mark {
	class, id := attr.get("class"), attr.get("id")
	if class == "" && id == "" {
		return MarkNone
	}
	for _, c := range strings.Fields(class) {
		if m, ok := markOf[strings.ToLower(c)]; ok {
			return m
		}
		if i := strings.LastIndex(c, "_gmail_"); i >= 0 || strings.HasPrefix(c, "m_") {
			if m, ok := markOf[strings.ToLower(c[i+1:])]; ok {
				return m
			}
		}
	}
	if m, ok := markOf["#"+strings.ToLower(id)]; ok {
		return m
	}
	return MarkNone
}

// markOf lists them: classes, and ids behind a "#".
var markOf = map[string]Mark{
	"gmail_quote":                              MarkQuote,
	"gmail_attr":                               MarkAttribution,
	"gmail_signature":                          MarkSignature,
	"gmail_signature_prefix":                   MarkSignature,
	"yahoo_quoted":                             MarkQuote,
	"yahoo-signature":                          MarkSignature,
	"ydp-yahoo-quoted":                         MarkQuote,
	"moz-cite-prefix":                          MarkAttribution,
	"moz-email-headers-table":                  MarkQuote,
	"moz-forward-container":                    MarkForward,
	"moz-signature":                            MarkSignature,
	"protonmail_quote":                         MarkQuote,
	"protonmail_signature_block":               MarkSignature,
	"tutanota_quote":                           MarkQuote,
	"zmail_extra":                              MarkQuote,
	"outlookmessageheader":                     MarkCut,
	"mail_android_quote":                       MarkQuote,
	"front-blockquote":                         MarkQuote,
	"front-signature":                          MarkSignature,
	"wisestampsignature":                       MarkSignature,
	"applemailsignature":                       MarkSignature,
	"#applemailsignature":                      MarkSignature,
	"#divrplyfwdmsg":                           MarkCut,
	"#appendonsend":                            MarkCut,
	"#olk_src_body_section":                    MarkCut,
	"#stopspelling":                            MarkCut,
	"#replyforwardmessage":                     MarkCut,
	"#isforwardcontent":                        MarkForward,
	"#isreplycontent":                          MarkQuote,
	"#mail-editor-reference-message-container": MarkQuote,
	"#signature":                               MarkSignature,
	"#ms-outlook-mobile-signature":             MarkSignature,
	"#yahoo_quoted":                            MarkQuote,
	"#qt":                                      MarkQuote,
	"#reply-intro":                             MarkAttribution,
}

// link writes the address behind a link's text, when it says more than that.
func (r *renderer) link(e element) {
	href := UnwrapURL(e.href)
	if e.line != len(r.lines) || len(r.cur) <= e.offset {
		return // no text of its own, or a whole block of it
	}
	text := strings.TrimSpace(string(r.cur[e.offset:]))
	scheme, _, _ := strings.Cut(strings.ToLower(href), ":")
	if scheme == "mailto" {
		r.mailLink(href, text)
		return
	}
	if scheme != "http" && scheme != "https" {
		return
	}
	switch {
	case text == "" || strings.Contains(text, href) || !r.typed && strings.Contains(text, e.href):
	case r.typed && sameURL(text, href) && strings.Contains(text, "://"):
		// what was typed counts: programs add a slash, or a redirector
	case sameURL(text, href):
		lead := r.cur[:len(r.cur)-len(strings.TrimLeft(string(r.cur[e.offset:]), " "))]
		r.cur = append(lead, href...)
	case r.typed:
		lead := string(r.cur[:len(r.cur)-len(strings.TrimLeft(string(r.cur[e.offset:]), " "))])
		r.cur = append(r.cur[:0], lead+"["+text+"]("+href+")"...)
	default:
		r.cur = append(r.cur, " <"+href+">"...)
	}
}

// mailLink shows the address of a mailto link that hides it.
func (r *renderer) mailLink(href, text string) {
	addr, _, _ := strings.Cut(href[len("mailto:"):], "?")
	if plain, err := url.PathUnescape(addr); err == nil {
		addr = plain
	}
	if addr == "" || strings.Contains(strings.ToLower(text), strings.ToLower(addr)) || strings.Contains(text, "@") {
		return
	}
	r.cur = append(r.cur, " <"+addr+">"...)
}

// sameURL tells whether a link's text is its address, written shorter.
func sameURL(text, href string) bool {
	return bareURL(text) == bareURL(href)
}

func bareURL(s string) string {
	s = strings.ToLower(s)
	s = strings.TrimPrefix(strings.TrimPrefix(s, "https://"), "http://")
	return strings.TrimRight(s, "/")
}

// UnwrapURL takes the redirector of a mail provider off a link: Google's in
// Gmail, Safe Links in Outlook, URL Defense.
func UnwrapURL(href string) string {
	if !wrapped(href) {
		return href
	}
	u, err := url.Parse(href)
	if err != nil {
		return href
	}
	host, inner := strings.ToLower(u.Hostname()), ""
	switch {
	case strings.HasSuffix(host, ".safelinks.protection.outlook.com"):
		inner = u.Query().Get("url")
	case (host == "www.google.com" || host == "google.com") && u.Path == "/url":
		if inner = u.Query().Get("q"); inner == "" {
			inner = u.Query().Get("url")
		}
	case host == "l.facebook.com" && u.Path == "/l.php":
		inner = u.Query().Get("u")
	case host == "urldefense.com":
		inner = urlDefense(href)
	}
	if strings.HasPrefix(inner, "https://") || strings.HasPrefix(inner, "http://") {
		return inner
	}
	return href
}

// wrapped tells what may lead to a redirector, which spares taking all other
// links apart.
func wrapped(href string) bool {
	href = strings.ToLower(href)
	for _, host := range []string{".safelinks.protection.outlook.com", "google.com", "l.facebook.com", "urldefense.com"} {
		if strings.Contains(href, host) {
			return true
		}
	}
	return false
}

var defended = regexp.MustCompile(`/v3/__(https?:/.+?)__;`)

func urlDefense(href string) string {
	m := defended.FindStringSubmatch(href)
	if m == nil || strings.Contains(m[1], "*") {
		return ""
	}
	if !strings.Contains(m[1], "://") {
		return strings.Replace(m[1], ":/", "://", 1)
	}
	return m[1]
}

var emptyParagraph = regexp.MustCompile(`(?i)<p[^>]*>(\s|&nbsp;|&#160;|\x{a0}|<br\s*/?>|<o:p>|</o:p>|<span[^>]*>|</span>)*</p>`)

func hasEmptyParagraph(page string) bool { return emptyParagraph.MatchString(page) }
