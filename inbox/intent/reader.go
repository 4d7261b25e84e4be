package intent

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// The papers that a reader may answer.
const (
	PaperConfirmation Paper = "confirmation" // "please confirm"
	PaperFarewell     Paper = "farewell"     // "you will get no more issues"
	PaperConsent      Paper = "consent"      // "may we name you?"
)

// ReaderMail is a reader's mail as far as its meaning depends on it.
type ReaderMail struct {
	Subject string
	Own     string // what the reader wrote: no quote, no attribution (inbox/reply)
	Reply   bool
	Paper   Paper // PaperIssue, PaperConfirmation, PaperFarewell, PaperConsent or none
	OnList  bool  // the address is on the list
	// Forwarded is true when the mail passes on an article; only Own counts.
	Forwarded bool
	Names     []string // the reader's name, from the From field
	Now       time.Time
	Zone      *time.Location
	Slot      time.Duration
}

// ReaderWord is what a reader asks for.
type ReaderWord string

// The readers' words (conversation.md sections 1 and 4).
const (
	ReaderNothing     ReaderWord = ""
	ReaderUnsubscribe ReaderWord = "unsubscribe"
	ReaderSubscribe   ReaderWord = "subscribe"
	ReaderConfirm     ReaderWord = "confirm" // yes to a confirmation
	ReaderDecline     ReaderWord = "decline" // no to a confirmation: not asked again
	ReaderPause       ReaderWord = "pause"   // Until is zero when no time was said
	ReaderResume      ReaderWord = "resume"
	ReaderMove        ReaderWord = "move" // Address
	ReaderQuiet       ReaderWord = "quiet"
	ReaderForget      ReaderWord = "forget me"
	ReaderBack        ReaderWord = "back"
	ReaderTextOnly    ReaderWord = "text only"
	ReaderWithHTML    ReaderWord = "with html" // takes text only back
	ReaderMyData      ReaderWord = "my data"
)

// Consent is what a reader says about being named; "" is nothing said.
type Consent string

// The consents, from the most open to the most private.
const (
	ConsentNone      Consent = ""
	ConsentNamed     Consent = "named"
	ConsentAnonymous Consent = "anonymous"
	ConsentPrivate   Consent = "private"
)

// ReaderReading is what a reader's mail asks.
type ReaderReading struct {
	Word  ReaderWord
	Wish  bool // Word was a clear wish in a sentence, not the word itself
	Until time.Time
	// Address is the new one for move, and for subscribe somebody else's.
	Address string
	// Letter is true when the mail says something to the editor. Beside a
	// Word it is what else the mail says.
	Letter bool
	Links  []string // suggestions; none beside a wish to leave
	Note   string   // the words beside the links
	// Consent, its own words, and the name asked for in them.
	Consent      Consent
	ConsentWords string
	As           string
}

// ReadReader reads a reader's mail (conversation.md sections 1 and 4). What
// takes a reader off is read kindly, what puts one on strictly.
func ReadReader(m ReaderMail) ReaderReading {
	m.Own = cut(m.Own)
	o := readerWords(m)
	switch m.Paper {
	case PaperConfirmation:
		return confirmation(m, o)
	case PaperConsent:
		if r, ok := consentAnswer(m, o); ok {
			return r
		}
	}
	if r, ok := readerWord(m, o); ok {
		return r
	}
	text := strings.Join(o.lines, "\n")
	if wishes(m, text) {
		return ReaderReading{Word: ReaderUnsubscribe, Wish: true, Letter: true}
	}
	r := ReaderReading{Links: findLinks(text)}
	r.Consent, r.ConsentWords = consent(text)
	r.Note = CutLinks(text, r.Links)
	r.Letter = len(r.Links) == 0 || saysMore(r.Note, text)
	return r
}

// readerWords is the reader's text without greeting, thanks and signature.
func readerWords(m ReaderMail) own {
	mail := Mail{Names: m.Names}
	var o own
	text := strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u00a0", " ").Replace(m.Own)
	o.take(mail, strings.Split(text, "\n"))
	o.lines = append(o.lines, o.foot...)
	return o
}

// readerWord is a word that is the Subject, or all that was written.
func readerWord(m ReaderMail, o own) (ReaderReading, bool) {
	if len(o.lines) == 1 {
		if r, ok := readerLine(m, o.lines[0]); ok {
			return r, true
		}
	}
	// The word on top and a letter under it: what else it says is a letter.
	if len(o.lines) > 1 {
		if r, ok := readerLine(m, o.lines[0]); ok && r.Word == ReaderUnsubscribe && !anyWord(o.lines[0]) {
			r.Letter = true
			return r, true
		}
	}
	s := subjectLine(Mail{Subject: m.Subject})
	if s == "" || m.Forwarded {
		return ReaderReading{}, false
	}
	r, ok := readerLine(m, s)
	if ok {
		r.Letter = len(o.lines) > 0
	}
	return r, ok
}

// anyWord is a word that also begins other sentences; it leaves only alone.
func anyWord(l string) bool {
	return slices.Contains([]string{"stop", "leave", "remove", "baja", "remover"}, polite(plainWords(l)))
}

var (
	readerMe    = regexp.MustCompile(`^(please|pls|bitte|s'il vous plaît|svp|por favor|per favore|alstublieft|just|i want to|i would like to|i'd like to)[, ]+|[, ]+(please|pls|me|aub|a\.?u\.?b|alsjeblieft|graag|danke|merci|grazie|gracias|obrigad[oa]|bedankt|dank u|tack|takk|tak|kiitos|спасибо|пожалуйста|будь ласка|proszę|dziękuję|prosím|lütfen|bitte|s'il vous plaît|svp|por favor|per favore|now|thanks|thank you|from (the|this|your) (list|newsletter|mailing list)|(the|this|your) (list|newsletter))$`)
	pauseUntil  = regexp.MustCompile(`^(pause|skip) (?:me )?(?:until|till|til) (.+)$`)
	moveTo      = regexp.MustCompile(`^(?:please )?(?:move|change|switch)(?: me| my address)? to <?(?:mailto:)?([^\s@<>]+@[^\s@<>]+\.[^\s@<>]+?)>?$`)
	subscribeIt = regexp.MustCompile(`^subscribe <?(?:mailto:)?([^\s@<>]+@[^\s@<>]+\.[^\s@<>]+?)>?$`)
)

// readerLine reads one line as a reader's word.
func readerLine(m ReaderMail, l string) (ReaderReading, bool) {
	if strings.ContainsAny(l, "?？") {
		return ReaderReading{}, false
	}
	w := polite(plainWords(l))
	for range 3 {
		if word, ok := readerPhrases[w]; ok {
			return m.allowed(ReaderReading{Word: word})
		}
		shorter := strings.TrimSpace(readerMe.ReplaceAllString(w, ""))
		if shorter == w || shorter == "" {
			break
		}
		w = shorter
	}
	if g := moveTo.FindStringSubmatch(w); g != nil {
		return ReaderReading{Word: ReaderMove, Address: g[1]}, true
	}
	if g := subscribeIt.FindStringSubmatch(w); g != nil && !m.Forwarded {
		return ReaderReading{Word: ReaderSubscribe, Address: g[1]}, true
	}
	if g := pauseUntil.FindStringSubmatch(w); g != nil {
		return m.pause(g[2])
	}
	return ReaderReading{}, false
}

// allowed keeps `back` to the farewell, which is the only mail that offers it.
func (m ReaderMail) allowed(r ReaderReading) (ReaderReading, bool) {
	if m.Paper == PaperFarewell && r.Word != ReaderBack && r.Word != ReaderForget && r.Word != ReaderUnsubscribe && r.Word != ReaderMyData && r.Word != ReaderSubscribe {
		return ReaderReading{}, false
	}
	if r.Word == ReaderBack && m.Paper != PaperFarewell {
		return ReaderReading{}, false
	}
	return r, true
}

// pause reads the day until which nothing shall come.
func (m ReaderMail) pause(until string) (ReaderReading, bool) {
	t, ok := When(until, Clock{Now: m.Now, Zone: m.Zone, Slot: m.Slot})
	if !ok {
		return ReaderReading{}, false
	}
	// Of two readings the later one is over in the safer sense: nothing
	// comes that was not wanted.
	last := t.Readings[len(t.Readings)-1]
	if !last.After(m.Now) {
		return ReaderReading{}, false
	}
	if t.Day { // the day begins at midnight, before any slot
		zone := m.Zone
		if zone == nil {
			zone = time.UTC
		}
		l := last.In(zone)
		last = local(l.Year(), l.Month(), l.Day(), 0, zone)
	}
	return ReaderReading{Word: ReaderPause, Until: last}, true
}

var firstWord = regexp.MustCompile(`^[\s*_"'“‘(]*([\p{L}'’]+)`)

// confirmation is decided by the first word of the answer (conversation.md
// section 4); an empty one confirms, since Reply and Send is what people do.
func confirmation(m ReaderMail, o own) ReaderReading {
	text := strings.TrimSpace(strings.Join(o.lines, "\n"))
	if text == "" {
		return ReaderReading{Word: ReaderConfirm}
	}
	t := strings.ToLower(strings.ReplaceAll(text, "’", "'"))
	t = strings.TrimPrefix(strings.TrimPrefix(t, "please "), "bitte ")
	g := firstWord.FindStringSubmatch(t)
	if g == nil {
		return ReaderReading{Letter: true}
	}
	rest := strings.Trim(t[len(g[0]):], " .!,;:*_\"'”’)")
	switch {
	case slices.Contains(yesWords, g[1]):
		if strings.HasPrefix(t[len(g[0]):], "?") {
			return ReaderReading{Letter: true}
		}
		return ReaderReading{Word: ReaderConfirm, Letter: len(strings.Fields(rest)) > 12}
	case slices.Contains(noWords, g[1]):
		return ReaderReading{Word: ReaderDecline, Letter: len(strings.Fields(rest)) > 2}
	}
	if r, ok := readerLine(m, o.lines[0]); ok && r.Word == ReaderUnsubscribe {
		return ReaderReading{Word: ReaderDecline, Letter: len(o.lines) > 1}
	}
	return ReaderReading{Letter: true}
}

var asName = regexp.MustCompile(`(?i)^(?:yes|ja|oui|s[ií]|sim)[, ]+(?:please[, ]+)?(?:as|als|comme|como|come) (\S.{0,80}?)[ .!]*$`)

// consentAnswer reads the answer to "May we name you?".
func consentAnswer(m ReaderMail, o own) (ReaderReading, bool) {
	if len(o.lines) != 1 {
		return ReaderReading{}, false
	}
	l := o.lines[0]
	r := ReaderReading{ConsentWords: l}
	if g := asName.FindStringSubmatch(l); g != nil {
		r.Consent, r.As = ConsentNamed, g[1]
		return r, true
	}
	switch w := polite(plainWords(l)); {
	case strings.Contains(l, "?"):
		return r, false
	case w == "nothing" || w == "nichts" || w == "rien" || w == "nada" || w == "niente":
		r.Consent = ConsentPrivate
	case slices.Contains(yesWords, w):
		r.Consent = ConsentNamed
	case slices.Contains(noWords, w) && w != "unsubscribe" && w != "stop":
		r.Consent = ConsentAnonymous
	default:
		return r, false
	}
	return r, true
}

// wishWords is how long a mail may be whose sentence is a clear wish.
const wishWords = 60

// wishes finds a clear wish to leave in other words, without a "not" in it.
func wishes(m ReaderMail, text string) bool {
	if !m.OnList || m.Paper == PaperFarewell || len(strings.Fields(text)) > wishWords {
		return false
	}
	for _, s := range sentences(text) {
		if wish.MatchString(s) && !negation.MatchString(noLonger.ReplaceAllString(s, "")) && !strings.HasSuffix(strings.TrimSpace(s), "?") {
			return true
		}
	}
	return false
}

// sentences splits a text at full stops, question and exclamation marks and
// empty lines, keeping the mark; addresses of pages are not split.
func sentences(text string) []string {
	var out []string
	for _, p := range paragraphEnd.Split(text, -1) {
		if p = fold(p); p != "" {
			out = append(out, sentencesOf(p)...)
		}
	}
	return out
}

// paragraphEnd is an empty line, or one that is nothing but a link.
var paragraphEnd = regexp.MustCompile(`\n[ \t]*\n|(?m:^[ \t<]*https?://[^\s>]+[ \t>]*\n)`)

func sentencesOf(paragraph string) []string {
	var out []string
	start := 0
	rs := []rune(paragraph)
	for i, r := range rs {
		if strings.ContainsRune(".!?。！？", r) && (i+1 == len(rs) || rs[i+1] == ' ' || r > 127) {
			out = append(out, string(rs[start:i+1]))
			start = i + 1
		}
	}
	if rest := strings.TrimSpace(string(rs[start:])); rest != "" {
		out = append(out, rest)
	}
	return out
}

// consent reads what is said about naming the writer. A negation or a
// condition gets the more private reading.
func consent(text string) (Consent, string) {
	found, words := ConsentNone, ""
	for _, s := range sentences(text) {
		c := consentIn(strings.ToLower(strings.ReplaceAll(s, "’", "'")))
		if privacy[c] > privacy[found] {
			found, words = c, strings.TrimSpace(s)
		}
	}
	return found, words
}

// privacy ranks what is said; of two the more private counts.
var privacy = map[Consent]int{ConsentNone: 0, ConsentNamed: 1, ConsentAnonymous: 2, ConsentPrivate: 3}

func consentIn(s string) Consent {
	switch {
	case secret.MatchString(s):
		return ConsentPrivate
	case anonymous.MatchString(s):
		return ConsentAnonymous
	case !naming.MatchString(s):
		return ConsentNone
	case negation.MatchString(s):
		return ConsentPrivate
	case condition.MatchString(s):
		return ConsentAnonymous
	case allowing.MatchString(s):
		return ConsentNamed
	}
	return ConsentNone
}

// noteWords is the length from which the words beside a link are a letter.
const noteWords = 40

// saysMore tells whether a mail with links is a letter too: it says more than
// a note, or asks something that is not about a link.
func saysMore(note, text string) bool {
	if len(strings.Fields(note)) > noteWords {
		return true
	}
	for _, s := range sentences(text) {
		if strings.HasSuffix(s, "?") && len(findLinks(s)) == 0 && len(strings.Fields(s)) > 2 {
			return true
		}
	}
	return false
}
