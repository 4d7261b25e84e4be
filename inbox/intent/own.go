package intent

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"galley/inbox/gated"
)

// own is what the writer wrote, without greeting, thanks, name and signature.
type own struct {
	lines   []string // above or below the quote, to be read as commands
	between []string // between quoted lines, never read as commands
	foot    []string // lines that look like a foot nobody knows
	known   []string // lines below the mark of a signature
	thanks  bool     // thanks or a greeting stood there
	hello   bool     // the greeting was the bare word, which is also a command
}

// all is every own word there is.
func (o own) all() string {
	return strings.Join(slices.Concat(o.lines, o.between, o.foot), "\n")
}

var (
	sigDelim   = regexp.MustCompile(`^\s*(--|—|–|-- )\s*$`)
	sentFrom   = gated.New(`(?i)^\W*(sent (from|via|with|using) (my |outlook|gmail|yahoo|proton|mail for|mobile|samsung|blackberry|iphone|ipad|android|superhuman|spark|fairemail|k-9)|get outlook for|von meinem .{2,40} gesendet|gesendet (von|mit) |diese nachricht wurde von mein|envoyé (de|depuis) |envoyé à partir|télécharger outlook|enviado (desde|do|de|a partir|por) |obtener outlook|inviato (da|dal) |verstuurd (vanaf|met) |verzonden (vanaf|met|van) |skickat från |skickades från |sendt fra |lähetetty |wysłane z |wysłano z |отправлено (с|из) |надіслано з |iphoneから送信|从我的|發自我的|发自我的|보낸 사람 )[^\n]{0,80}$|(?i)^\W*sent from\W*$`)
	greeting   = regexp.MustCompile(`(?i)^(hi|hello|hey|dear|hallo|hej|hei|moin|servus|liebe[rs]?|guten (morgen|tag|abend)|good (morning|afternoon|evening)|bonjour|bonsoir|salut|hola|buenos d[ií]as|buenas( tardes)?|ciao|salve|buongiorno|ol[aá]|bom dia|boa tarde|beste|goede(morgen|middag)|cze[sś][cć]|dzie[nń] dobry|привет|здравствуйте|ahoj|merhaba)([ ,]+(.{1,40}?))?\s*[,!.:]*$`)
	thanking   = regexp.MustCompile(`(?i)^(great|perfect|nice|lovely|wonderful|super|excellent|cool|awesome)?[,! ]*(many |very many |best )?(thanks|thank you|thx|ty|cheers|danke( schön| dir| euch| ihnen)?|vielen dank|besten dank|merci( beaucoup| bien)?|(muchas )?gracias|(mille )?grazie|(muito )?obrigad[oa]|dank je|bedankt|tack( så mycket)?|takk|tak|kiitos|dzi[eę]kuj[eę]|dzi[eę]ki|спасибо|teşekkürler)( a lot| so much| very much| again| everyone| all| in advance| for (this|that|everything|all))*[ ,!.]*(.{0,40}?)[ !.]*$`)
	closing    = regexp.MustCompile(`(?i)^(all the best|(best|kind|warm|many|with (best|kind)) (wishes|regards)|best|regards|cheers|sincerely|yours( sincerely| truly)?|take care|br|rgds|love|talk soon|(viele|liebe|beste|herzliche|schöne|freundliche) gr(ü|ue)(ß|ss)e|mit freundlichen gr(ü|ue)(ß|ss)en|gru(ß|ss)|lg|vg|mfg|cordialement|bien cordialement|amicalement|bien à vous|à bientôt|un saludo|saludos( cordiales)?|atentamente|un abrazo|cordiali saluti|saluti|un saluto|atenciosamente|abra[cç]os?|met vriendelijke groet(en)?|groeten|groetjes|med vänlig hälsning|vänliga hälsningar|mvh|med venlig hilsen|hilsen|vennlig hilsen|terveisin|pozdrawiam|с уважением)[ ,.!]*(.{0,40})$`)
	postScript = regexp.MustCompile(`(?i)^\W*p\.?\s?p?\.?\s?s\b[.:]?`)
	codeLine   = regexp.MustCompile(`^[\[(<]?[a-z2-7]{26}[\])>]?$`)
	contact    = regexp.MustCompile(`(?i)confidential|vertraulich|confidentiel|privileged|intended (solely|only)|e-?mail|tel\.?[: ]|phone|mobile|fax|\+?\d[\d ()./-]{7,}|@[\w-]+\.|https?://|www\.|\b(dr|prof|ph\.?d|director|professor|manager|editor|head of|university|institute|department|gmbh|ltd|inc)\b`)
	objection  = regexp.MustCompile(`(?i)\b(but|not|no|never|nope|sorry|actually|oops|error|wrong|typo|swap|add|don't|dont|no|wait|stop|hold|except|unless|after|before|first|please|change|fix|move|delete|cancel|instead|only if|until|however|aber|nicht|erst|mais|pas|pero|ma)\b`)
)

// ownWords gathers the writer's words by their place.
func ownWords(m Mail, s split) own {
	var o own
	above, below := s.places(&o)
	for _, group := range [][]string{above, below} {
		o.take(m, group)
	}
	return o
}

// places tells lines above the quote, below and between.
func (s split) places(o *own) (above, below []string) {
	for i, l := range s.lines {
		switch {
		case s.kinds[i] != ownLine:
		case s.first < 0 || i < s.first:
			above = append(above, l)
		case i > s.last:
			below = append(below, l)
		case strings.TrimSpace(l) != "":
			o.between = append(o.between, l)
		}
	}
	return above, below
}

// take cleans one group of lines and adds what says something.
func (o *own) take(m Mail, group []string) {
	body, foot := cutSignature(m, group)
	o.known = append(o.known, belowMark(group)...)
	first := true
	for i := 0; i < len(body); i++ {
		l := strings.TrimSpace(body[i])
		switch {
		case l == "" || codeLine.MatchString(l) || isSentFrom(l):
		case first && isGreeting(m, l) || isThanks(m, l):
			o.thanks = true
			o.hello = o.hello || polite(plainWords(l)) == string(WordHello)
		case !first && isClosing(m, l):
			o.thanks = true
			i = skipName(m, body, i)
		case isName(m, l):
		default:
			o.lines = append(o.lines, l)
			first = false
		}
	}
	o.foot = append(o.foot, foot...)
}

// skipName steps over the name that stands under a closing.
func skipName(m Mail, body []string, i int) int {
	for j := i + 1; j < len(body) && j <= i+2; j++ {
		l := strings.TrimSpace(body[j])
		if l == "" {
			continue
		}
		if isName(m, l) || looksLikeName(l) {
			return j
		}
		break
	}
	return i
}

// cutSignature takes off what is known as a signature: what follows "-- ",
// what begins with the editor's name, and lines known from earlier mails. A
// last block that looks like a foot and is none of these is given back as
// one to be asked about. A postscript is never part of a signature.
func cutSignature(m Mail, group []string) (body, foot []string) {
	var after []string
	for i, l := range group {
		if sigDelim.MatchString(l) && (i > 0 || l == "--") {
			group, after = group[:i], postScripts(group[i+1:])
			break
		}
	}
	body, foot = cutUnmarked(m, group)
	return append(slices.Clone(body), after...), foot
}

// cutUnmarked does the same where no mark stands above the signature.
func cutUnmarked(m Mail, group []string) (body, foot []string) {
	body = cutKnown(m, group)
	for i := range body {
		if startsWithName(m, body[i]) {
			rest, foot := nameBlock(m, body[i:])
			return append(slices.Clone(body[:i]), rest...), foot
		}
	}
	return cutFoot(m, body)
}

// belowMark are the lines under "-- ", as long as they look like a signature.
func belowMark(group []string) []string {
	const most = 8
	for i, l := range group {
		if !sigDelim.MatchString(l) || i == 0 && l != "--" {
			continue
		}
		lines := trimmedLines(group[i+1:])
		if len(lines) > most || len(postScripts(lines)) > 0 {
			return nil
		}
		return lines
	}
	return nil
}

// learnt leaves out of a signature what would be a command, a hold or a
// question by itself: such a line is read wherever it stands.
func learnt(m Mail, lines []string) []string {
	var out []string
	for _, l := range lines {
		_, command := readLine(l, m.clock(), PaperProof, m.Words)
		_, hold := holding(m, l)
		if !command && !hold && !strings.HasSuffix(l, "?") && len(strings.Fields(l)) > 0 {
			out = append(out, l)
		}
	}
	return out
}

// postScripts gives the lines from a P.S. on.
func postScripts(lines []string) []string {
	for i, l := range lines {
		if postScript.MatchString(l) {
			return lines[i:]
		}
	}
	return nil
}

// cutKnown drops lines at the end that stood under earlier mails.
func cutKnown(m Mail, group []string) []string {
	end := len(group)
	for end > 0 {
		l := fold(group[end-1])
		if l != "" && !slices.ContainsFunc(m.Signatures, func(k string) bool { return fold(k) == l }) {
			break
		}
		end--
	}
	return group[:end]
}

// nameBlock steps over the lines right under a name as long as they look like
// a signature's. What objects or asks is the writer's word; what looks like
// neither makes the block a foot to be asked about.
func nameBlock(m Mail, lines []string) (rest, foot []string) {
	for i, l := range lines[1:] {
		t := strings.TrimSpace(l)
		switch {
		case t == "":
			return lines[i+1:], nil
		case i >= 8 || postScript.MatchString(t) || strings.HasSuffix(t, "?") || objects(t):
			return lines[i+1:], nil
		case !signatureLine(m, t) && !isSentFrom(t):
			return nil, trimmedLines(lines)
		}
	}
	return nil, nil
}

func trimmedLines(lines []string) []string {
	var out []string
	for _, l := range lines {
		if t := strings.TrimSpace(l); t != "" {
			out = append(out, t)
		}
	}
	return out
}

// objects finds a word that could object to what stands above it. "Stop.
// Think. Measure." is a motto; "Stop that first" is not.
func objects(t string) bool {
	return objection.MatchString(t) && (strings.Count(t, ". ") < 2 || len(strings.Fields(t)) > 4)
}

// signatureLine is known, a way to reach somebody, or in capitals like a
// title: what a person says has small words of some length in it.
func signatureLine(m Mail, t string) bool {
	if slices.ContainsFunc(m.Signatures, func(k string) bool { return fold(k) == fold(t) }) {
		return true
	}
	if utf8.RuneCountInString(t) > 70 {
		return false
	}
	return contact.MatchString(t) || !slices.ContainsFunc(strings.Fields(t), func(w string) bool {
		r, _ := utf8.DecodeRuneInString(w)
		return unicode.IsLower(r) && utf8.RuneCountInString(w) > 3
	})
}

var (
	// besideLink is a program's name with its address, in the ways of plain text.
	besideLink = regexp.MustCompile(`\[([^\]]{1,60})\]\([^)]{0,200}\)|<https?:[^>]{0,200}>|\( ?https?:[^)]{0,200}\)`)
	outlookFor = gated.New(`(?i)^(\p{L}{3,14} )?outlook (for|für|pour|para|per|voor|för|til|dla|pro|для|na) (ios|android|mac|iphone)( \p{L}{3,14})?\.?$`)
)

var excuse = regexp.MustCompile(`(?i)\bplease (excuse|forgive|pardon)\b`)

// isSentFrom is the line that a phone or a mail program adds.
func isSentFrom(l string) bool {
	const most = 300 // such a line is short
	if len(l) > most {
		return false
	}
	l = strings.TrimSpace(besideLink.ReplaceAllString(l, "$1"))
	if outlookFor.MatchString(l) {
		return true
	}
	return sentFrom.MatchString(l) && !objection.MatchString(excuse.ReplaceAllString(l, ""))
}

// cutFoot finds a last paragraph that looks like a foot.
func cutFoot(m Mail, body []string) (rest, foot []string) {
	end := len(body)
	for end > 0 && strings.TrimSpace(body[end-1]) == "" {
		end--
	}
	start := end
	for start > 0 && strings.TrimSpace(body[start-1]) != "" {
		start--
	}
	if start == 0 || end-start > 8 || strings.TrimSpace(strings.Join(body[:start], "")) == "" {
		return body, nil
	}
	block := body[start:end]
	if postScript.MatchString(block[0]) || isSentFrom(block[0]) || !footLike(m, block) {
		return body, nil
	}
	return body[:start], trimmedLines(block)
}

// footLike wants a name of the editor's or something of a letterhead's.
func footLike(m Mail, block []string) bool {
	for _, l := range block {
		if len(findLinks(l)) > 0 && len(block) == 1 {
			return false
		}
	}
	text := strings.Join(block, "\n")
	for _, n := range m.Names {
		parts := strings.Fields(n)
		if len(parts) > 1 && strings.Contains(text, parts[len(parts)-1]) {
			return true
		}
	}
	return contact.MatchString(text) && len(findLinks(text)) == 0 && !objection.MatchString(block[0])
}

// isGreeting is a greeting to the desk or to nobody by name.
func isGreeting(m Mail, l string) bool {
	g := greeting.FindStringSubmatch(l)
	if g == nil {
		return false
	}
	return addressee(m, g[len(g)-1])
}

// addressee is who may stand in a greeting or thanks: nothing that could be
// part of a sentence.
func addressee(m Mail, who string) bool {
	who = strings.Trim(who, " ,.!:")
	if who == "" || isName(m, who) {
		return true
	}
	if objection.MatchString(who) || len(strings.Fields(who)) > 3 {
		return false
	}
	for _, w := range strings.Fields(who) {
		r, _ := utf8.DecodeRuneInString(w)
		if !unicode.IsUpper(r) && !slices.Contains([]string{"all", "there", "desk", "team", "everyone", "galley", "again", "folks", "you"}, strings.ToLower(w)) {
			return false
		}
		if slices.ContainsFunc([]rune(w), unicode.IsDigit) {
			return false
		}
	}
	return true
}

// isThanks is a line of thanks and nothing else.
func isThanks(m Mail, l string) bool {
	g := thanking.FindStringSubmatch(l)
	return g != nil && addressee(m, g[len(g)-1])
}

// isClosing is "Best," with or without the name behind it.
func isClosing(m Mail, l string) bool {
	g := closing.FindStringSubmatch(l)
	return g != nil && addressee(m, g[len(g)-1])
}

// isName is one of the editor's names, a first name or initials.
func isName(m Mail, l string) bool {
	l = strings.Trim(l, " ,.!-–—*_")
	for _, n := range m.Names {
		if strings.EqualFold(l, n) {
			return true
		}
		parts := strings.Fields(n)
		if len(parts) > 0 && strings.EqualFold(l, parts[0]) {
			return true
		}
		initials := ""
		for _, p := range parts {
			r, _ := utf8.DecodeRuneInString(p)
			initials += string(r)
		}
		short := strings.ReplaceAll(l, ".", "")
		if short != "" && utf8.RuneCountInString(short) <= 3 && strings.HasPrefix(strings.ToUpper(initials), strings.ToUpper(short)) {
			return true
		}
	}
	return false
}

// startsWithName is a line that begins with the editor's full name, or is a
// name alone.
func startsWithName(m Mail, l string) bool {
	l = strings.TrimSpace(l)
	if l == "" {
		return false
	}
	if isName(m, l) {
		return true
	}
	for _, n := range m.Names {
		rest, ok := strings.CutPrefix(l, n)
		if ok && len(strings.Fields(n)) > 1 && (rest == "" || strings.ContainsAny(rest[:1], " ,|/-(")) && !objection.MatchString(rest) {
			return true
		}
	}
	return false
}

// looksLikeName is at most three capitalised words.
func looksLikeName(l string) bool {
	words := strings.Fields(l)
	if len(words) > 3 || strings.ContainsAny(l, "?:;!") || objection.MatchString(l) {
		return false
	}
	for _, w := range words {
		if r, _ := utf8.DecodeRuneInString(w); !unicode.IsUpper(r) {
			return false
		}
	}
	return len(words) > 0
}
