package lint

import (
	"net/url"
	"slices"
	"strings"

	"galley/compose/markdown"
	"galley/compose/probe"

	"golang.org/x/net/publicsuffix"
)

// Asks lists what a live look at an issue would ask for: each web address once.
func Asks(doc *markdown.Document) []probe.Ask {
	var all []probe.Ask
	add := func(raw string, image bool) {
		u, err := url.Parse(raw)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return
		}
		u.Fragment, u.RawFragment = "", "" // the server never sees it
		if a := (probe.Ask{URL: u.String(), Image: image}); !slices.Contains(all, a) {
			all = append(all, a)
		}
	}
	for _, img := range doc.Images {
		add(img.URL, true)
	}
	for _, l := range doc.Links {
		add(l.URL, false)
	}
	return all
}

// Reach says what the answers mean for an issue, and takes back what was said
// about http links before anybody had asked. found is what Check found; the
// result is sorted.
func Reach(doc *markdown.Document, answers map[string]probe.Answer, found []markdown.Finding) []markdown.Finding {
	found = slices.Clone(found)
	var waiting []markdown.Link
	for _, l := range doc.Links {
		a, ok := answerTo(answers, l.URL)
		if !ok {
			continue
		}
		if a.State == probe.Waiting {
			waiting = append(waiting, l)
			continue
		}
		if strings.HasPrefix(strings.ToLower(l.URL), "http:") && a.State != probe.Reserved {
			found = settleHTTP(found, l, a)
		}
		found = append(found, reached(l, a)...)
	}
	for _, img := range doc.Images {
		if a, ok := answerTo(answers, img.URL); ok {
			found = append(found, reachedImage(img, a)...)
		}
	}
	found = append(found, waitingFinding(waiting)...)
	Sort(found)
	return found
}

func answerTo(answers map[string]probe.Answer, raw string) (probe.Answer, bool) {
	u, err := url.Parse(raw)
	if err != nil {
		return probe.Answer{}, false
	}
	u.Fragment, u.RawFragment = "", ""
	a, ok := answers[u.String()]
	return a, ok
}

// settleHTTP replaces the general advice on an http link: where https works it
// is named, and where it does not there is nothing to be done.
func settleHTTP(found []markdown.Finding, l markdown.Link, a probe.Answer) []markdown.Finding {
	found = slices.DeleteFunc(found, func(f markdown.Finding) bool {
		return f.Code == "http-link" && f.Line == l.Line && f.Words == short(l.Title)
	})
	if !a.Secure {
		return found
	}
	return append(found, markdown.Finding{
		Level: markdown.Warning, Code: "http-link", Line: l.Line, Words: short(l.Title), Say: "https-there", Gaps: []any{l.URL[len("http:"):]},
	})
}

// Why is the sentence that says why a link's page was not found.
func Why(a probe.Answer) markdown.Sentence {
	return markdown.Sentence{Name: "probe-" + a.Why, Gaps: []any{a.Reply(), probe.Seconds()}}
}

func reached(l markdown.Link, a probe.Answer) []markdown.Finding {
	f := markdown.Finding{Line: l.Line, Words: short(l.URL)}
	switch a.State {
	case probe.Gone:
		f.Level, f.Code, f.Gaps = markdown.Error, "link-dead", []any{Why(a)}
	case probe.Silent:
		f.Level, f.Code, f.Gaps = markdown.Warning, "link-silent", []any{Why(a)}
	case probe.Refused:
		f.Level, f.Code, f.Say, f.Gaps = markdown.Note, "link-refused", "link-unchecked", []any{Why(a)}
	case probe.Forbidden:
		f.Level, f.Code, f.Gaps = markdown.Warning, "link-private", []any{Why(a)}
	case probe.Fine:
		return elsewhere(f, l.URL, a.Final)
	default:
		return nil
	}
	return []markdown.Finding{f}
}

// elsewhere compares where a link leads with what it says. Redirects within a
// site are its own affair, unless a page became the site's front page.
func elsewhere(f markdown.Finding, asked, final string) []markdown.Finding {
	from, err := url.Parse(asked)
	to, err2 := url.Parse(final)
	if err != nil || err2 != nil || final == "" || signposts[strings.TrimPrefix(from.Hostname(), "www.")] || isShortener(from) {
		return nil
	}
	f.Level, f.Code = markdown.Warning, "link-elsewhere"
	switch {
	case site(from) != site(to):
		f.Gaps = []any{short(final)}
	case strings.Trim(from.Path, "/") != "" && strings.Trim(to.Path, "/") == "" && to.RawQuery == "":
		f.Say = "link-front-page"
	default:
		return nil
	}
	return []markdown.Finding{f}
}

// signposts exist to lead on.
var signposts = map[string]bool{"doi.org": true, "dx.doi.org": true, "hdl.handle.net": true, "n2t.net": true, "purl.org": true, "w3id.org": true,
	"youtu.be": true, "git.io": true, "aka.ms": true, "g.co": true, "forms.gle": true, "orcid.org": true, "ror.org": true, "perma.cc": true, "arxiv.org": true}

// site is the domain that somebody registered, so that www. and a bare name are
// one.
func site(u *url.URL) string {
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	if s, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil {
		return s
	}
	return host
}

func reachedImage(img markdown.Image, a probe.Answer) []markdown.Finding {
	if a.State == probe.Gone || a.State == probe.Silent {
		return []markdown.Finding{{
			Level: markdown.Error, Code: "image-dead", Line: img.Line, Words: short(img.URL), Gaps: []any{Why(a)},
		}}
	}
	facts := func(string) (Picture, bool) {
		return Picture{a.Width, a.Height, a.Bytes}, a.State == probe.Fine
	}
	return (&issue{Input: Input{Picture: facts}}).picture(img)
}

// waitingFinding names the links for which there was no time.
func waitingFinding(links []markdown.Link) []markdown.Finding {
	if len(links) == 0 {
		return nil
	}
	names := make([]string, len(links))
	for i, l := range links {
		names[i] = short(l.URL)
	}
	f := markdown.Finding{
		Level: markdown.Note, Code: "link-waiting", Line: links[0].Line, Words: names[0],
	}
	if len(links) > 1 {
		f.Say, f.Gaps = "links-waiting", []any{len(links), listed(names, 5)}
	}
	return []markdown.Finding{f}
}
