package intent

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// Command is one command line, read.
type Command struct {
	Word     Word
	Lets     bool     // it lets mail out: it needs proof and code
	Line     string   // as it was written
	Args     []string // see the comments at the words
	In       string   // the section that `use` names; Kindly, of `decline`
	At       time.Time
	Day      bool        // At is a day; its hour is the slot's
	Readings []time.Time // the time can be read in these ways: ask
	Past     bool        // the first reading, or At, has passed: ask
}

// Clock is what a time in a command is measured by.
type Clock struct {
	Now  time.Time
	Zone *time.Location // nil is UTC
	Slot time.Duration  // the slot's time of day; 0 is nine o'clock
}

// lets are the words that let mail out.
var lets = []Word{WordApprove, WordApproveAnyway, WordSend, WordResume, WordYes}

// Line reads one command line, from a mail or from the command line. Case,
// full stop, quotation marks and bold are not minded; a question mark is. The
// paper says what the line answers: the other words for approve count to a
// proof only. ok is false when it is no command.
func Line(s string, c Clock, paper Paper) (cmd Command, ok bool) {
	return readLine(s, c, paper, nil)
}

func readLine(s string, c Clock, paper Paper, words map[string][]string) (Command, bool) {
	s = strings.TrimSpace(s)
	if s == "" || len(s) > 4000 {
		return Command{}, false
	}
	cmd, ok := textCommand(s)
	if !ok && !strings.Contains(s, "?") && !strings.Contains(s, "？") {
		cmd, ok = plainCommand(polite(plainWords(s)), c, paper, words)
	}
	if !ok {
		return Command{}, false
	}
	cmd.Line = s
	cmd.Lets = slices.Contains(lets, cmd.Word)
	return cmd, true
}

// plainWords brings a line to bare lower-case words: no bold, no quotation
// marks, no full stop or exclamation mark at the end.
func plainWords(s string) string {
	s = strings.Map(func(r rune) rune {
		if strings.ContainsRune("*`\"“”„«»‹›", r) {
			return -1
		}
		if r == '’' || r == '‘' {
			return '\''
		}
		return r
	}, s)
	s = strings.Trim(fold(strings.ToLower(s)), " .!_',;")
	return s
}

var (
	pleaseFirst = regexp.MustCompile(`^(hi|hello|hey|please|pls)( galley| desk)?[, ]+`)
	// askFirst is what people begin a wish with; only words that hold are read
	// behind all of it.
	askFirst   = regexp.MustCompile(`^(?:(hi|hello|hey|please|pls|kindly)( galley| desk)?[, ]+|(can|could|would|will) you[, ]+)`)
	thanksLast = regexp.MustCompile(`[ ,.!;–—-]+(please|pls|many thanks|thanks|thank you|thx|ty|cheers)( a lot| so much| very much| again)?( galley| desk)?[ .!]*$`)
)

// polite takes greeting, please and thanks off a line.
func polite(s string) string {
	for range 3 {
		t := thanksLast.ReplaceAllString(pleaseFirst.ReplaceAllString(s, ""), "")
		t = strings.Trim(t, " .!,;")
		if t == "" || t == s {
			break
		}
		s = t
	}
	return s
}

// plainCommand reads a line whose words are not quoted text.
func plainCommand(s string, c Clock, paper Paper, words map[string][]string) (Command, bool) {
	if w, ok := phrases[s]; ok {
		return Command{Word: w}, true
	}
	if paper == PaperProof && assents[s] {
		return Command{Word: WordApprove}, true
	}
	if w, ok := configured(s, words); ok {
		return Command{Word: w}, true
	}
	if cmd, ok := numberCommand(s); ok {
		return cmd, true
	}
	if cmd, ok := addressCommand(s); ok {
		return cmd, true
	}
	return timeCommand(s, c, paper, words)
}

// configured looks among the words that the configuration adds.
func configured(s string, words map[string][]string) (Word, bool) {
	for w, list := range words {
		for _, own := range list {
			if plainWords(own) == s {
				return Word(w), true
			}
		}
	}
	return "", false
}

var (
	approveAt = regexp.MustCompile(`^(approve|approved|ok|lgtm|stet|looks good|send)[ ,]+(?:it )?(?:for )?(.+)$`)
	untilDay  = regexp.MustCompile(`^(skip|pause)(?: until| till| til| to)? (.+)$`)
)

// timeCommand reads approve, send, skip and pause with a time behind them.
func timeCommand(s string, c Clock, paper Paper, words map[string][]string) (Command, bool) {
	if g := approveAt.FindStringSubmatch(s); g != nil {
		if assents[g[1]] && paper != PaperProof {
			return Command{}, false
		}
		word := WordApprove
		if g[1] == "send" {
			word = WordSend
		}
		return timed(word, g[2], c)
	}
	if g := untilDay.FindStringSubmatch(s); g != nil {
		return timed(Word(g[1]), g[2], c)
	}
	for w, list := range words {
		for _, own := range list {
			rest, ok := strings.CutPrefix(s, plainWords(own)+" ")
			if ok && (Word(w) == WordApprove || Word(w) == WordSend || Word(w) == WordSkip || Word(w) == WordPause) {
				return timed(Word(w), rest, c)
			}
		}
	}
	return Command{}, false
}

// timed puts a time into a command.
func timed(word Word, when string, c Clock) (Command, bool) {
	m, ok := When(when, c)
	if !ok {
		return Command{}, false
	}
	cmd := Command{Word: word, Day: m.Day, Past: m.Past}
	if len(m.Readings) == 1 {
		cmd.At = m.Readings[0]
		return cmd, true
	}
	cmd.Readings = m.Readings
	return cmd, true
}

var (
	withNumbers = regexp.MustCompile(`^(use|decline|later|ask) ((?:#?\d+[a-z]?(?:[ ,;&]+|[ ,]+and |$)?)+?)(?: ?(?:in|for|under|to|into) (.+))?$`)
	kindly      = regexp.MustCompile(`^(decline .+?),? kindly$`)
	aVersion    = regexp.MustCompile(`^use version #?(\d+)$`)
	number      = regexp.MustCompile(`\d+[a-z]?`) // 221, or 221b of several links in one mail
)

// Kindly in Command.In has the desk tell the reader whose link is declined.
const Kindly = "kindly"

// numberCommand reads the words that name waiting links by number.
func numberCommand(s string) (Command, bool) {
	if g := aVersion.FindStringSubmatch(s); g != nil {
		return Command{Word: WordUseVersion, Args: []string{g[1]}}, true
	}
	kind := kindly.FindStringSubmatch(s)
	if kind != nil {
		s = kind[1]
	}
	g := withNumbers.FindStringSubmatch(s)
	if g == nil || g[3] != "" && g[1] != "use" {
		return Command{}, false
	}
	cmd := Command{Word: Word(g[1]), Args: number.FindAllString(g[2], -1), In: strings.TrimSpace(g[3])}
	if kind != nil {
		cmd.In = Kindly
	}
	return cmd, true
}

var (
	withAddress = regexp.MustCompile(`^(test|add|remove|forget|release|list)(?: to)? (.+)$`)
	anAddress   = regexp.MustCompile(`^<?(?:mailto:)?([^\s@<>,;]+@[^\s@<>,;]+\.[^\s@<>,;]+?)>?$`)
)

// addressCommand reads the words that take addresses; every word behind must
// be one.
func addressCommand(s string) (Command, bool) {
	g := withAddress.FindStringSubmatch(s)
	if g == nil {
		return Command{}, false
	}
	cmd := Command{Word: Word(g[1])}
	for _, w := range strings.FieldsFunc(g[2], func(r rune) bool { return r == ' ' || r == ',' || r == ';' }) {
		if w == "and" {
			continue
		}
		a := anAddress.FindStringSubmatch(w)
		if a == nil {
			return Command{}, false
		}
		if !slices.Contains(cmd.Args, a[1]) { // "a@x <mailto:a@x>" is one
			cmd.Args = append(cmd.Args, a[1])
		}
	}
	return cmd, len(cmd.Args) > 0
}

var (
	quoteOpen  = `["“”„«»‹›‘’'` + "`" + `]`
	changeLine = regexp.MustCompile(`(?is)^[*_]*change[*_]*:?\s+` + quoteOpen + `(.+?)` + quoteOpen + `\s+(?:to|into|->|→)\s+` + quoteOpen + `(.*)` + quoteOpen + `[.!*_\s]*$`)
	deleteLine = regexp.MustCompile(`(?is)^[*_]*delete[*_]*:?\s+` + quoteOpen + `(.+)` + quoteOpen + `[.!*_\s]*$`)
	valueLine  = regexp.MustCompile(`(?i)^[*_]*(title|subtitle|preheader)[*_]*(\s*:\s*|\s+)(\S.*)$`)
	creditLine = regexp.MustCompile(`(?i)^[*_]*credit[*_]*\s+#?(\d+)\s+as\s+(\S.*)$`)
	aboutIt    = regexp.MustCompile(`(?i)^(is|are|was|were|should|must|could|would|can|may|might|needs?|has|have|had|looks?|seems?|feels?|reads?|and|or|but|to be|will|does|doesn't|isn't)\b`)
)

// textCommand reads the commands whose words are the text itself, kept as
// they were written.
func textCommand(s string) (Command, bool) {
	if g := changeLine.FindStringSubmatch(s); g != nil {
		return Command{Word: WordChange, Args: []string{g[1], g[2]}}, true
	}
	if g := deleteLine.FindStringSubmatch(s); g != nil {
		return Command{Word: WordDelete, Args: []string{g[1]}}, true
	}
	if g := creditLine.FindStringSubmatch(s); g != nil {
		return Command{Word: WordCredit, Args: []string{g[1], unquote(g[2])}}, true
	}
	// "The title is too long" speaks about it; "title The Long Way" is it.
	g := valueLine.FindStringSubmatch(s)
	if g == nil || aboutIt.MatchString(g[3]) && !strings.Contains(g[2], ":") {
		return Command{}, false
	}
	return Command{Word: Word(strings.ToLower(g[1])), Args: []string{unquote(g[3])}}, true
}

// unquote takes one pair of quotation marks off.
func unquote(s string) string {
	s = strings.TrimSpace(s)
	for _, pair := range []string{`""`, "“”", "„“", "«»", "``"} {
		open, shut := []rune(pair)[0], []rune(pair)[1]
		if rs := []rune(s); len(rs) > 1 && rs[0] == open && rs[len(rs)-1] == shut {
			return string(rs[1 : len(rs)-1])
		}
	}
	return s
}
