package intent

import (
	"regexp"
	"strings"
)

// lineKind tells whose words a line holds.
type lineKind int

const (
	ownLine lineKind = iota
	quoteLine
	headLine // an attribution, a divider or the header lines over a quote
)

// split is a mail taken apart into own words and quote, with positions.
type split struct {
	lines       []string
	kinds       []lineKind
	quote       string // the quoted text, one level of > off
	forwarded   bool
	first, last int // the first and last line of the quote; -1 without one
	starts      []string
}

var (
	quoteMark = regexp.MustCompile(`^ ?>`)
	// An attribution ends in a colon and names the writing in some language.
	attribution = regexp.MustCompile(`(?i)^[\s*>]*(on|am|le|el|il|op|den|em|w dniu|dnia|dne|pe|em|ons|fre|tor|man|tir|lør|søn|mån|tis|lör|sön|ma|di|wo|do|vr|za|zo|ke|to|pe|la|su|\d{1,4}[-./ ]|пн|вт|ср|чт|пт|сб|вс|понедельник|вторник|среда|четверг|пятница|суббота|воскресенье|в |[^:\n]{1,80}<[^<>\s]+@[^<>\s]+>|[^:\n]{1,60}, \d)[^\n]{0,400}(wrote|writes|schrieb|schreibt|geschrieben|a écrit|escribió|escreveu|ha scritto|schreef|geschreven|skrev|kirjoitti|napisał(\(a\))?|napsal(\(a\))?|írta|пишет|писал(\(а\))?|написал(\(а\))?|пише|написав|yazdı|写道|寫道|написа(л|ла)|のメール|님이 작성)[^:：\n]{0,60}[:：]\s*\**$`)
	bareDate    = regexp.MustCompile(`^\d{4}[-/年]\d{1,2}[-/月]\d{1,2}日?.{0,60}<[^<>\s]+@[^<>\s]+>\s*[:：]?$`)
	// anyAttribution is one of a language that is not listed: an hour, an address
	// and a colon, over lines that carry the mark of a quote.
	anyAttribution = regexp.MustCompile(`^[^<>]{0,80}\d{1,2}[:.]\d{2}[^<>]{0,120}<[^<>\s]+@[^<>\s]+>\)?\s*[:：]\s*\**$`)
	divider        = regexp.MustCompile(`(?i)^[\s*>]*(-{2,}\s*(original message|original appointment|ursprüngliche nachricht|originalnachricht|message d'origine|message original|mensaje original|mensagem original|messaggio originale|oorspronkelijk bericht|opprinnelig melding|ursprungligt meddelande|original besked|oprindelig meddelelse|alkuperäinen viesti|wiadomość oryginalna|исходное сообщение|forwarded message|weitergeleitete nachricht|message transféré|mensaje reenviado|messaggio inoltrato|doorgestuurd bericht|пересылаемое сообщение)\s*-{2,}|begin forwarded message:|anfang der weitergeleiteten (e-mail|nachricht):|début du message réexpédié ?:|inicio del mensaje reenviado:|inizio messaggio inoltrato:)\s*$`)
	rule           = regexp.MustCompile(`^\s*[_-]{10,}\s*$`)
	forwardMark    = regexp.MustCompile(`(?i)forward|weitergeleitet|transféré|réexpédié|reenviad|inoltrat|doorgestuurd|пересыла`)
	headerField    = regexp.MustCompile(`(?i)^[\s*>]*(from|sent|date|to|cc|subject|reply[- ]to|antwort an|répondre à|responder a|von|gesendet|datum|an|betreff|de|envoyé|date|à|objet|para|enviado( el)?|enviada( em)?|asunto|assunto|fecha|data|da|inviato|a|oggetto|van|verzonden|aan|onderwerp|fra|sendt|dato|til|emne|från|skickat|till|ämne|lähettäjä|lähetetty|vastaanottaja|aihe|od|wysłano|do|temat|от|отправлено|кому|тема|дата|发件人|发送时间|收件人|主题|差出人|送信日時|宛先|件名)\s?\**\s?[:：]`)
	fromField      = regexp.MustCompile(`(?i)^[\s*>]*(from|von|de|da|van|fra|från|lähettäjä|od|от|发件人|差出人)\s?\**\s?[:：]\s*\**\s*\S`)
	ownPanel       = regexp.MustCompile(`^(PROOF \d+ OF #\d+|STARTER FOR #\d+)`)
	forwardSubj    = regexp.MustCompile(`(?i)^\s*(fwd?|wg|tr|rv|enc|vs|vb|pd|doorst|i)\s*:`)
)

// splitMail takes the mail's text apart.
func splitMail(m Mail) split {
	s := split{first: -1, last: -1, starts: firstLines(m)}
	text := strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u00a0", " ", "\u202f", " ", "\ufeff", "", "\u200b", "", "\u2060", "").Replace(m.Text)
	for l := range strings.SplitSeq(text, "\n") {
		s.lines = append(s.lines, strings.TrimRight(l, " \t"))
	}
	s.kinds = make([]lineKind, len(s.lines))
	s.mark(m)
	s.over(m)
	s.joinWrapped(m)
	s.gather()
	if forwardSubj.MatchString(m.Subject) {
		s.forwarded = true
	}
	return s
}

// mark walks down the lines and gives each its kind.
func (s *split) mark(m Mail) {
	for i := 0; i < len(s.lines); {
		n, block := s.head(i, m)
		if n == 0 {
			if quoteMark.MatchString(s.lines[i]) {
				s.kinds[i] = quoteLine
			}
			i++
			continue
		}
		for j := i; j < i+n; j++ {
			s.kinds[j] = headLine
		}
		i += n
		if block && !s.marked(i) {
			// Nothing below carries a mark: all of it is the quote.
			s.rest(i-n, i, m)
			return
		}
	}
}

// rest makes the lines from i on a quote without marks, if what was sent is
// known to hold most of its words: "what Ada wrote:" may also stand in a
// person's own sentence.
func (s *split) rest(head, i int, m Mail) {
	kind := quoteLine
	if (m.Quoted != "" || m.QuotedHTML != "") && strangers(strings.Join(s.lines[i:], "\n"), m.Quoted+"\n"+m.QuotedHTML) {
		kind = ownLine
		for j := head; j < i; j++ {
			s.kinds[j] = ownLine
		}
	}
	for ; i < len(s.lines); i++ {
		s.kinds[i] = kind
	}
}

// strangers says whether less than half of a text's words stand in what was
// sent.
func strangers(text, sent string) bool {
	have := map[string]bool{}
	for _, w := range tokens(sent) {
		have[w.norm] = true
	}
	known, all := 0, 0
	for _, w := range tokens(text) {
		all++
		if have[w.norm] {
			known++
		}
	}
	return known*2 < all
}

// marked says whether the next line with words is marked with >.
func (s *split) marked(i int) bool {
	for ; i < len(s.lines); i++ {
		if s.lines[i] != "" {
			return quoteMark.MatchString(s.lines[i])
		}
	}
	return false
}

// head gives the number of lines at i that stand over a quote, and whether
// they open one that may go on without marks.
func (s *split) head(i int, m Mail) (n int, block bool) {
	l := s.lines[i]
	if l == "" {
		return 0, false
	}
	if quoteMark.MatchString(l) {
		return 0, false
	}
	if divider.MatchString(l) {
		if forwardMark.MatchString(l) {
			s.forwarded = true
		}
		return 1 + s.fields(i+1), true
	}
	if rule.MatchString(l) && (m.Reply || s.forwardedSubject(m)) { // Outlook draws one over its header lines
		if n := s.fields(i + 1); n >= 3 {
			return 1 + n, true
		}
	}
	if n := s.fields(i); n >= 3 && fromField.MatchString(l) && (m.Reply || s.forwardedSubject(m)) {
		return n, true
	}
	if ownPanel.MatchString(l) && m.Reply || m.Reply && s.begins(l) {
		s.kinds[i] = quoteLine
		return 1, true
	}
	return s.attribution(i, m)
}

func (s *split) forwardedSubject(m Mail) bool { return forwardSubj.MatchString(m.Subject) }

// firstLines are the first lines of the paper as we sent it, in text and HTML.
func firstLines(m Mail) (out []string) {
	const least, most = 20, 300
	for _, sent := range []string{m.Quoted, m.QuotedHTML} {
		first, _, _ := strings.Cut(strings.TrimSpace(sent), "\n")
		if len(first) > least && len(first) < most {
			out = append(out, fold(first))
		}
	}
	return out
}

// begins says whether a line is the first of the paper as we sent it.
func (s *split) begins(l string) bool {
	for _, first := range s.starts {
		if len(l) < 2*len(first) && strings.EqualFold(fold(l), first) {
			return true
		}
	}
	return false
}

// fields counts the header lines of a quoted mail at i, with their folds.
func (s *split) fields(i int) int {
	n, last := 0, i
	for j := i; j < len(s.lines) && j < i+12; j++ {
		switch {
		case headerField.MatchString(s.lines[j]):
			n++
			last = j + 1
		case s.lines[j] == "" && n == 0:
		default:
			return last - i
		}
	}
	if n == 0 {
		return 0
	}
	return last - i
}

// attribution joins up to four lines, since mail programs wrap it.
func (s *split) attribution(i int, m Mail) (n int, block bool) {
	joined := ""
	for k := 0; k < 4 && i+k < len(s.lines) && s.lines[i+k] != ""; k++ {
		if quoteMark.MatchString(s.lines[i+k]) {
			break
		}
		joined += " " + s.lines[i+k]
		t := strings.TrimSpace(joined)
		if len(t) < 500 && strings.HasSuffix(strings.TrimRight(t, "*"), ">") && bareDate.MatchString(t) {
			return k + 1, m.Reply
		}
		// Without a colon at its end and a date or an address in it a line
		// is a sentence.
		if end := strings.TrimRight(t, "*"); !strings.HasSuffix(end, ":") && !strings.HasSuffix(end, "：") || !strings.ContainsAny(t, "0123456789@") {
			continue
		}
		if len(t) < 500 && (attribution.MatchString(t) || bareDate.MatchString(t)) {
			return k + 1, m.Reply
		}
		if len(t) < 500 && anyAttribution.MatchString(t) && s.marked(i+k+1) {
			return k + 1, false
		}
	}
	return 0, false
}

// maxWrapped bounds the search for lines that a mail program cut.
const maxWrapped = 300

// joinWrapped makes a line without mark a part of the quote when it is the
// rest of the quoted line above it, cut by the mail program: together they
// must stand in the paper as we sent it.
func (s *split) joinWrapped(m Mail) {
	if m.Quoted == "" && m.QuotedHTML == "" {
		return
	}
	sent := fold(m.Quoted) + "\n" + fold(m.QuotedHTML)
	for i, tries := 1, 0; i < len(s.lines) && tries < maxWrapped; i++ {
		if s.kinds[i] != ownLine || s.lines[i] == "" || s.kinds[i-1] != quoteLine || !quoteMark.MatchString(s.lines[i-1]) {
			continue
		}
		above := strings.Fields(fold(unmark(s.lines[i-1])))
		if len(above) < 2 {
			continue
		}
		tries++
		if strings.Contains(sent, strings.Join(above, " ")+" "+fold(s.lines[i])) {
			s.kinds[i] = quoteLine
		}
	}
}

// fold brings text to single spaces.
func fold(s string) string { return strings.Join(strings.Fields(s), " ") }

// unmark takes one level of quoting off a line.
func unmark(l string) string {
	t := strings.TrimPrefix(strings.TrimPrefix(l, " "), ">")
	if len(t) == len(strings.TrimPrefix(l, " ")) {
		return l
	}
	return strings.TrimPrefix(t, " ")
}

// gather collects the quote and its place.
func (s *split) gather() {
	var q []string
	for i, k := range s.kinds {
		if k == ownLine {
			continue
		}
		if s.first < 0 {
			s.first = i
		}
		if s.lines[i] != "" {
			s.last = i
		}
		if k == quoteLine {
			q = append(q, unmark(s.lines[i]))
		}
	}
	s.quote = strings.Join(q, "\n")
}

// whole is the mail without the quote that stands above or below everything
// else: quoted lines between are Markdown's as likely as the mail's.
func (s split) whole(reply bool) string {
	if !reply || s.first < 0 {
		return strings.Join(s.lines, "\n")
	}
	from, to := 0, len(s.lines)
	for from < to && (s.kinds[from] != ownLine || s.lines[from] == "") {
		from++
	}
	end := to
	for end > from && (s.kinds[end-1] != ownLine || s.lines[end-1] == "") {
		end--
	}
	return strings.Join(s.lines[from:end], "\n")
}

// unmarked is all that carries no mark of a quote.
func (s split) unmarked() string {
	var out []string
	for i, l := range s.lines {
		if s.kinds[i] == ownLine {
			out = append(out, l)
		}
	}
	return strings.Join(out, "\n")
}
