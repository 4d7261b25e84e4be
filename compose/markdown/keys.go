package markdown

import (
	"encoding/json"
	"fmt"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// assign puts one key where it belongs.
func (w *work) assign(f *Front, p pair) {
	key, value := fold(p.key), oneLine(p.value)
	if p.list != nil {
		value = strings.Join(p.list, ", ")
	}
	if into := f.text(key); into != nil {
		*into = oneLine(value)
		return
	}
	switch key {
	case "date":
		w.assignDate(f, p, value)
	case "issue":
		w.assignIssue(f, p, value)
	case "hero-img":
		w.assignHero(f, p, value)
	case "tags":
		f.Tags = tagList(p)
	case "draft":
		f.Draft = strings.EqualFold(value, "true") || strings.EqualFold(value, "yes")
	case "credits":
		f.NoCredits = refuses(value)
	default:
		w.keep(f, p)
	}
}

// refuses understands the ways of saying no.
func refuses(value string) bool {
	switch strings.ToLower(value) {
	case "no", "none", "off", "false", "never":
		return true
	}
	return false
}

// text returns the field of a key whose value is one line of text, or nil.
func (f *Front) text(key string) *string {
	switch key {
	case "title":
		return &f.Title
	case "subtitle":
		return &f.Subtitle
	case "layout":
		return &f.Layout
	case "send":
		return &f.Send
	case "slug":
		return &f.Slug
	case "preheader":
		return &f.Preheader
	case "reply-to":
		return &f.ReplyTo
	case "lang":
		return &f.Lang
	case "canonical":
		return &f.Canonical
	case "to":
		return &f.To
	}
	return nil
}

func (w *work) assignDate(f *Front, p pair, value string) {
	if value == "" {
		return
	}
	d, ok := readDate(value)
	if !ok {
		w.found(Finding{Level: Warning, Code: "front-date", Line: p.line, Words: value, Gaps: []any{value}})
		return
	}
	f.Date = d
}

func (w *work) assignIssue(f *Front, p pair, value string) {
	n, err := strconv.Atoi(strings.TrimLeft(value, "# "))
	if err != nil || n < 1 || n > 1e6 {
		w.found(Finding{Level: Warning, Code: "front-issue", Line: p.line, Words: value, Gaps: []any{value}})
		return
	}
	f.Issue = n
}

// pictureFile is the name of a file that may come with the draft.
var pictureFile = regexp.MustCompile(`(?i)^[^/\\:?#"<>]+\.(jpe?g|png|gif|webp)$`)

// assignHero takes an absolute URL, a path of the site or the name of an
// attached picture; anything else is told and left out, since it would break the
// share image.
func (w *work) assignHero(f *Front, p pair, value string) {
	web := strings.HasPrefix(value, "https://") || strings.HasPrefix(value, "http://") || strings.HasPrefix(value, "cid:")
	if value == "" || pictureFile.MatchString(value) || (web || strings.HasPrefix(value, "/")) && !strings.ContainsAny(value, " <>\"") {
		f.HeroImg = value
		return
	}
	w.found(Finding{Level: Warning, Code: "front-hero", Line: p.line, Words: value, Gaps: []any{value}})
}

func tagList(p pair) []string {
	list := p.list
	if list == nil {
		list = strings.Split(strings.Trim(p.value, "[]"), ",")
	}
	var out []string
	for _, t := range list {
		if t = oneLine(unquoteValue(t)); t != "" {
			out = append(out, t)
		}
	}
	return out
}

// keep stores a key that Galley does not know: other programs read the same file.
// What is no key of a head of ours, as TOML's 0000 = 1, could not be read back.
func (w *work) keep(f *Front, p pair) {
	if !keyLine.MatchString(p.key + ":") {
		return
	}
	if f.Other == nil {
		f.Other = map[string]string{}
	}
	value := p.value
	if p.list != nil {
		b, _ := json.Marshal(p.list) // a slice of strings can not fail
		value = string(b)
	}
	f.Other[p.key] = strings.Map(printable, value)
	w.found(Finding{Level: Note, Code: "front-unknown", Line: p.line, Words: p.key, Gaps: []any{p.key}})
}

var lineEnd = regexp.MustCompile(`[ \t]*[\n\t][ \t\n]*`)

// oneLine makes a value safe for a header field or an attribute: one line, no
// controls. Spaces within it are the author's.
func oneLine(s string) string {
	return strings.TrimSpace(lineEnd.ReplaceAllString(strings.Map(printable, s), " "))
}

func printable(r rune) rune {
	if r != '\n' && r != '\t' && unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
		return ' '
	}
	return r
}

// fill takes title and date from the mail where the front matter has none.
func (w *work) fill(f *Front, src Source) {
	if f.Title == "" {
		f.Title = plainSubject(src.Subject)
	}
	if f.Title == "" {
		f.Title = firstHeading(w.ls)
	}
	if f.Date == "" {
		if _, rest, ok := strings.Cut(f.Title, " - "); ok {
			f.Date, _ = readDate(rest)
		}
	}
	if f.Date == "" {
		f.Date = src.Day
	}
	if f.Date == "" && !src.Date.IsZero() {
		f.Date = src.Date.Format(time.DateOnly)
	}
}

var replyMark = regexp.MustCompile(`(?i)^\s*(?:re|aw|sv|fwd?|wg|tr)\s*:\s*`)

func plainSubject(s string) string {
	for replyMark.MatchString(s) {
		s = replyMark.ReplaceAllString(s, "")
	}
	return oneLine(s)
}

// firstHeading is the title of a file that has no front matter: its first # line.
func firstHeading(ls []line) string {
	for _, l := range ls {
		if t, ok := strings.CutPrefix(l.s, "# "); ok {
			return oneLine(strings.TrimRight(t, "# "))
		}
		if strings.HasPrefix(l.s, "## ") {
			break
		}
	}
	return ""
}

var dateForms = []string{
	"2006-01-02", "2006-1-2", "2006/1/2", "2006.1.2", "20060102",
	"2 Jan 2006", "2 January 2006", "Jan 2 2006", "January 2 2006", "2 Jan, 2006", "Jan. 2 2006", "2.1.2006",
}

var dateNoise = regexp.MustCompile(`(?i)^(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?,?\s+`)
var ordinals = regexp.MustCompile(`(\d)(?:st|nd|rd|th)\b`)

// readDate understands the dates that people write in front matter and titles.
// A time of day and a zone behind the date are not looked at: an issue has a
// date, in the newsletter's own zone.
func readDate(s string) (string, bool) {
	s = dateNoise.ReplaceAllString(oneLine(strings.ReplaceAll(s, nbsp, " ")), "")
	s = ordinals.ReplaceAllString(s, "$1")
	words := strings.Fields(strings.ReplaceAll(s, ",", ""))
	for n := min(len(words), 3); n > 0; n-- {
		part := strings.Join(words[:n], " ")
		if n == 1 {
			part, _, _ = strings.Cut(part, "T")
		}
		for _, form := range dateForms {
			if t, err := time.Parse(form, part); err == nil && t.Year() > 0 {
				return t.Format(time.DateOnly), true
			}
		}
	}
	return "", false
}

var plainKey = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]*$`)

// yaml writes the front matter in its canonical form, "" when there is none.
func (f *Front) yaml() string {
	var b strings.Builder
	put := func(key, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s: %s\n", key, value)
		}
	}
	for _, k := range []string{"title", "subtitle"} {
		put(k, quoted(*f.text(k)))
	}
	put("date", f.Date)
	put("layout", quoted(f.Layout))
	put("hero-img", quoted(f.HeroImg))
	if f.Issue > 0 {
		put("issue", strconv.Itoa(f.Issue))
	}
	for _, k := range []string{"send", "slug", "preheader", "reply-to", "lang"} {
		put(k, quoted(*f.text(k)))
	}
	put("tags", flowList(f.Tags))
	for _, k := range []string{"canonical", "to"} {
		put(k, quoted(*f.text(k)))
	}
	if f.Draft {
		put("draft", "true")
	}
	if f.NoCredits {
		put("credits", `"no"`)
	}
	b.WriteString(f.otherYAML())
	return b.String()
}

func (f *Front) otherYAML() string {
	keys := make([]string, 0, len(f.Other))
	for k := range f.Other {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	var b strings.Builder
	for _, k := range keys {
		v := f.Other[k]
		if !structured(v) {
			v = strconv.Quote(v)
		}
		if !plainKey.MatchString(k) {
			k = strconv.Quote(k)
		}
		fmt.Fprintf(&b, "%s: %s\n", k, v)
	}
	return b.String()
}

// structured tells a list or a map kept as JSON, which is YAML as it stands. It
// must be as this package writes it, or it would not read back equal.
func structured(v string) bool {
	if v == "" || v[0] != '[' && v[0] != '{' {
		return false
	}
	var tree any
	if err := json.Unmarshal([]byte(v), &tree); err != nil {
		return false
	}
	b, err := json.Marshal(textual(tree))
	return err == nil && string(b) == v
}

// quoted writes a value as YAML; one that YAML could take for anything but text
// gets quotation marks.
func quoted(v string) string {
	if v == "" {
		return ""
	}
	return strconv.Quote(v)
}

func flowList(list []string) string {
	if len(list) == 0 {
		return ""
	}
	qs := make([]string, len(list))
	for i, v := range list {
		qs[i] = strconv.Quote(v)
	}
	return "[" + strings.Join(qs, ", ") + "]"
}
