package intent

import (
	"hash/fnv"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The lengths of rule 2 of conversation.md section 2, in characters.
const (
	shareLength  = 300  // from here on a text that shares a third is a draft
	issueLength  = 1500 // an issue's length
	shortLength  = 600  // the same with a heading or three links
	attachLength = 300  // of a .txt file that is more than a mail server's foot
)

var (
	fence      = regexp.MustCompile(`^\s*([-—–‒―−]{2,}|[—―]|\+{3})\s*$`)
	keyLine    = regexp.MustCompile(`^\s*["“„]?([A-Za-z][A-Za-z_-]*)["”]?\s*[:=](\s|$)`)
	frontKey   = regexp.MustCompile(`(?i)^(title|subtitle|date|layout|hero[-_]img|issue|send|slug|preheader|reply[-_]to|lang|tags|canonical|to|draft|author|categories)$`)
	heading    = regexp.MustCompile(`(?mi)^\s{0,3}#{1,6}\s+\S|^\s{0,3}\S.*\n\s{0,3}(={3,}|-{3,})\s*$|<h[1-6][ >]`)
	serverFile = regexp.MustCompile(`(?i)^(att\d+|disclaimer|footer|signature|noname|untitled)\b`)
)

// findDraft is rule 2: the text of an issue is a draft, wherever it stands
// and whatever else is said. The surest form counts.
func findDraft(m Mail, s split) *Draft {
	if m.ToOthers && m.Reply && m.Paper != PaperProof && m.Paper != PaperStarter {
		return nil // the editor's own letter
	}
	if d := attached(m, s); d != nil {
		return d
	}
	if d := fronted(m, s); d != nil {
		return d
	}
	if m.ToOthers && m.Paper != PaperProof && m.Paper != PaperStarter {
		return nil
	}
	if d := plain(m, s); d != nil {
		return d
	}
	return inQuote(m, s)
}

// attached is a Markdown or text file.
func attached(m Mail, s split) *Draft {
	for _, a := range m.Attachments {
		if isDraftFile(m, a) {
			return &Draft{Form: "attachment", Name: a.Name, Text: a.Text, Remark: remark(s)}
		}
	}
	return nil
}

// isDraftFile tells an issue from the text files that mail servers attach.
func isDraftFile(m Mail, a Attachment) bool {
	name := strings.ToLower(a.Name)
	if strings.TrimSpace(a.Text) == "" {
		return false
	}
	if strings.HasSuffix(name, ".md") || strings.HasSuffix(name, ".markdown") || a.Type == "text/markdown" || a.Type == "text/x-markdown" {
		return true
	}
	if !strings.HasSuffix(name, ".txt") {
		return false
	}
	lines := strings.Split(a.Text, "\n")
	if frontAt(lines) >= 0 || shares(m.Open, a.Text) {
		return true
	}
	return utf8.RuneCountInString(a.Text) >= attachLength && !serverFile.MatchString(name)
}

// remark is what stands beside an attachment.
func remark(s split) string { return strings.TrimSpace(s.unmarked()) }

// fronted is a text that begins with front matter, outside the quote.
func fronted(m Mail, s split) *Draft {
	if at := frontAt(s.masked()); at >= 0 {
		text := s.from(at, m.Reply)
		return &Draft{Form: "front matter", Text: text, Remark: strings.TrimSpace(strings.Join(s.lines[:at], "\n"))}
	}
	whole := s.whole(m.Reply)
	if plainHead(whole) {
		return &Draft{Form: "front matter", Text: whole}
	}
	return nil
}

// masked gives the lines with the marked ones blanked out, so that front
// matter in a quote is not taken for the editor's.
func (s split) masked() []string {
	out := make([]string, len(s.lines))
	for i, l := range s.lines {
		if s.kinds[i] == ownLine {
			out[i] = l
		}
	}
	return out
}

// from gives the text from a line on, without the mail's quote at the end.
func (s split) from(at int, reply bool) string {
	end := len(s.lines)
	if reply {
		for end > at && (s.kinds[end-1] != ownLine || s.lines[end-1] == "") {
			end--
		}
	}
	return strings.Join(s.lines[at:end], "\n")
}

// frontAt finds the opening fence of front matter: known keys must follow, a
// title or two of them, closed by a fence or at least by the keys' own look.
func frontAt(lines []string) int {
	for i, l := range lines {
		if !fence.MatchString(l) {
			continue
		}
		if title, keys, closed := frontKeys(lines[i+1:]); keys > 0 && (closed && (title || keys > 1) || title && keys > 1) {
			return i
		}
	}
	return -1
}

// frontKeys counts the known keys up to the closing fence.
func frontKeys(lines []string) (title bool, keys int, closed bool) {
	for i, l := range lines {
		if i > 60 || i > 4 && keys == 0 {
			return title, keys, false
		}
		if fence.MatchString(l) {
			return title, keys, true
		}
		k := keyLine.FindStringSubmatch(l)
		if k == nil && keys == 0 && strings.TrimSpace(l) != "" {
			return title, keys, false
		}
		if k != nil && frontKey.MatchString(k[1]) {
			keys++
			title = title || strings.EqualFold(k[1], "title")
		}
	}
	return title, keys, false
}

// plainHead is a head of "Key: value" lines without fences over a text.
func plainHead(text string) bool {
	head, body, found := strings.Cut(strings.TrimLeft(text, "\n"), "\n\n")
	if !found || utf8.RuneCountInString(body) < shareLength {
		return false
	}
	title, keys := false, 0
	for l := range strings.SplitSeq(head, "\n") {
		k := keyLine.FindStringSubmatch(l)
		if k == nil || !frontKey.MatchString(k[1]) {
			return false
		}
		keys++
		title = title || strings.EqualFold(k[1], "title")
	}
	return title && keys > 1
}

// plain is a text without front matter: one that shares a third with an open
// text, or a new mail of an issue's length.
func plain(m Mail, s split) *Draft {
	words := s.unmarked()
	if m.Paper == PaperNone && !m.Reply {
		words = s.newText(m)
	}
	n := utf8.RuneCountInString(strings.TrimSpace(words))
	if n >= shareLength && shares(m.Open, words) {
		return &Draft{Form: "text", Text: s.whole(m.Reply)}
	}
	if m.Reply && m.Paper != PaperStarter {
		return nil // length alone never makes an answer a draft
	}
	if n >= issueLength || n >= shortLength && (heading.MatchString(words) || countLinks(words) >= 3) {
		return &Draft{Form: "text", Text: s.whole(m.Reply)}
	}
	return nil
}

// newText is all of a new mail; of a forward only what stands above it.
func (s split) newText(m Mail) string {
	if s.forwarded && forwardSubj.MatchString(m.Subject) && s.first >= 0 {
		return strings.Join(s.lines[:s.first], "\n")
	}
	return strings.Join(s.lines, "\n")
}

// inQuote is a starter or a shown text that was edited in its quote.
func inQuote(m Mail, s split) *Draft {
	if m.Paper != PaperStarter && m.Paper != PaperShow || strings.TrimSpace(s.quote) == "" {
		return nil
	}
	words := strings.TrimSpace(s.unmarked())
	lines := strings.Split(s.quote, "\n")
	at := frontAt(lines)
	sent, known := sentText(m)
	if known && !edited(s.quote, sent) || !known && (words != "" || at < 0) {
		return nil
	}
	if at < 0 && words != "" {
		return nil
	}
	return &Draft{Form: "quote", Text: strings.Join(lines[max(at, 0):], "\n"), Remark: words}
}

// sentText is the paper as we sent it, or the starter that is open.
func sentText(m Mail) (string, bool) {
	if m.Quoted != "" {
		return m.Quoted, true
	}
	for _, t := range m.Open {
		if t.Paper == PaperStarter && m.Paper == PaperStarter {
			return t.Body, true
		}
	}
	return "", false
}

// edited says whether a quote holds words that were not sent.
func edited(quote, sent string) bool {
	have := map[string]int{}
	for _, w := range tokens(sent) {
		have[w.norm]++
	}
	for _, w := range tokens(quote) {
		if have[w.norm]--; have[w.norm] < 0 {
			return true
		}
	}
	return false
}

// Shares says whether a text shares a third, either way round, with another:
// a revision does, and next week's issue does not.
func Shares(a, b string) bool { return shares([]Text{{Body: a}}, b) }

// shares says whether a text shares a third, either way round, with one of
// the open texts. Four words in a row count, so that wraps do not matter.
func shares(open []Text, text string) bool {
	own := shingles(text)
	for _, o := range open {
		if body := shingles(o.Body); len(body) > 0 && len(own) > 0 {
			common := 0
			for h := range own {
				if body[h] {
					common++
				}
			}
			if common*3 >= len(own) || common*3 >= len(body) {
				return true
			}
		}
	}
	return false
}

// shingles hashes each run of four words; a letter of a script without spaces
// counts as a word.
func shingles(text string) map[uint64]bool {
	var words []string
	for _, f := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		words = append(words, ideographs(f)...)
	}
	out := map[uint64]bool{}
	for i := 0; i+4 <= len(words); i++ {
		h := fnv.New64a()
		for _, w := range words[i : i+4] {
			_, _ = h.Write([]byte(w + " "))
		}
		out[h.Sum64()] = true
	}
	return out
}

func ideographs(f string) []string {
	if !strings.ContainsFunc(f, func(r rune) bool { return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana) }) {
		return []string{f}
	}
	return strings.Split(f, "")
}
