package intent

import (
	"slices"
	"strings"
	"time"
)

// Paper is what a mail answers.
type Paper string

// The papers of the desk that an editor may answer.
const (
	PaperNone     Paper = ""         // a new mail
	PaperProof    Paper = "proof"    // a proof, the current one or an older
	PaperStarter  Paper = "starter"  // the empty form of an issue
	PaperReminder Paper = "reminder" // "goes tomorrow if you approve"
	PaperReport   Paper = "report"   // approved, sent, final
	PaperIssue    Paper = "issue"    // a copy of an issue
	PaperStopped  Paper = "stopped"  // a run stands half-way
	PaperQuestion Paper = "question" // something to say yes or no to
	PaperShow     Paper = "show"     // the text, as `show` sent it
	PaperOther    Paper = "other"    // any other mail, the desk's or not
)

// Text is an open text: the current draft of an issue, or its starter.
type Text struct {
	Issue int
	Paper Paper // "draft" or PaperStarter
	Body  string
}

// Attachment is a file that came with the mail, as text where it is text.
type Attachment struct{ Name, Type, Text string }

// Mail is an editor's mail as far as its meaning depends on it.
type Mail struct {
	Subject, Text string // the whole readable text, format=flowed undone
	Attachments   []Attachment
	Reply         bool // it answers something, ours or not
	Paper         Paper
	Current       bool // it answers the current proof
	// ToOthers is true when somebody gets the mail besides the newsletter's
	// own addresses and its editors.
	ToOthers   bool
	Reaction   bool     // it is a reaction part, a thumb
	Names      []string // the editor's names
	Desk       []string // names and addresses of the desk, which stand over quotes of its mails
	Signatures []string // lines of the editor's foot, known from earlier mails
	Edges      []string // what servers put above and below the editor's mail, as Greeted gave it
	Open       []Text
	Quoted     string              // the plain text of the paper as we sent it; "" if unknown
	QuotedHTML string              // the same paper's HTML as text: mail programs quote that one
	Words      map[string][]string // words of the editor's language: a Word's name -> what stands for it
	Now        time.Time
	Zone       *time.Location // the newsletter's; nil is UTC
	Slot       time.Duration  // the slot's time of day, which a day alone means; 0 is nine o'clock
}

// Kind is what a mail is, by the numbered list of conversation.md section 2.
type Kind string

// The kinds, in the order in which they are tried.
const (
	KindReaction Kind = "reaction" // nothing, told once
	KindDraft    Kind = "draft"
	KindHold     Kind = "hold"     // Commands holds the one word
	KindCommands Kind = "commands" // all lines are commands
	KindLinks    Kind = "links"    // links that wait with the others; Note is what stands beside them
	KindChanges  Kind = "changes"  // words changed in the quote of a proof: Changes, to be said yes to
	KindNote     Kind = "note"     // nothing changes; the answer shows Note and Nearest
	KindNothing  Kind = "nothing"  // no answer, unless Note is set: then it is told once how
)

// Draft is the text of an issue.
type Draft struct {
	Form         string // attachment, front matter, text, quote
	Name         string // of the attachment
	Text, Remark string // the text, and what stands beside or above it
}

// Reading is what a mail asks.
type Reading struct {
	Kind     Kind
	Draft    *Draft
	Commands []Command
	// Withheld are commands that let mail out and must not be done, because
	// other words, other commands or changes in the quote stand beside them;
	// with KindHold, whatever stands below the word that holds.
	Withheld  []Command
	Changes   []Command // `change` lines made from words changed in the quote
	Links     []string
	Note      string   // what was not understood, as it was written
	Nearest   string   // the command that looks most like it
	Signature []string // an unknown foot, to be asked about once
	// Waits is set beside Signature: what the mail asks if that foot is one.
	Waits []Command
	// Known are the lines below a mark of a signature ("-- "), which are a
	// signature without it as well from then on.
	Known []string
	// Greeted is set beside the word hello, in answer to PaperHello.
	Greeted *Greeted
	// Other is set beside Withheld: the words that keep it from being done.
	Other string
	// Correction is the number of an issue already sent, from a Subject
	// `correction 129`; 0 is none.
	Correction int
}

// Read reads an editor's mail by the numbered list of conversation.md
// section 2; the first that fits decides.
func Read(m Mail) Reading {
	m.Text = Bare(cut(m.Text), m.Edges)
	r := read(m)
	r.Correction = correction(m.Subject)
	return r
}

func read(m Mail) Reading {
	if m.Reaction || reactionText(m.Text) {
		return Reading{Kind: KindReaction}
	}
	s := splitMail(m)
	if d := findDraft(m, s); d != nil {
		return Reading{Kind: KindDraft, Draft: d}
	}
	o := ownWords(m, s)
	if c, ok := holds(m, s, o); ok {
		return Reading{Kind: KindHold, Commands: []Command{c}, Withheld: beneath(m, o)}
	}
	if m.Paper == PaperHello {
		if r, ok := readHello(m, s); ok {
			return r
		}
	}
	if m.ToOthers && m.Paper != PaperProof {
		return Reading{Kind: KindNothing} // the editor's own letter, only filed
	}
	r := readWords(m, s, o)
	r.Known = learnt(m, o.known)
	return r
}

// beneath are the commands on the lines below a word that holds: they are not
// done, and the answer says so.
func beneath(m Mail, o own) []Command {
	if len(o.lines) < 2 {
		return nil
	}
	return slices.DeleteFunc(parseLines(m, o.lines[1:]).good, func(c Command) bool {
		_, again := holding(m, c.Line)
		return again // said twice, done once
	})
}

// maxText is how much of a mail is looked at, twice what a draft may have
// (trust.md 2.4): a longer one is refused as a draft and is nothing else.
const maxText = 256 << 10

// cut keeps what is looked at, whole letters only.
func cut(text string) string {
	if len(text) <= maxText {
		return text
	}
	return strings.ToValidUTF8(text[:maxText], "")
}

// readWords is rules 4 to 7: what is left when the mail neither brings a text
// nor holds.
func readWords(m Mail, s split, o own) Reading {
	if len(o.between) > 0 {
		return note(m, o.all())
	}
	lines := o.lines
	if len(lines) == 0 && o.hello {
		lines = []string{string(WordHello)}
	}
	if len(lines) == 0 && len(o.foot) == 0 {
		if subject := subjectLine(m); subject != "" && s.first < 0 {
			lines = []string{subject}
		} else {
			return silent(m, s, o)
		}
	}
	if r, ok := courtesy(m, lines); ok {
		return r
	}
	p := parseLines(m, lines)
	if len(p.bad) == 0 && len(o.foot) == 0 {
		return commands(m, s, p.good)
	}
	if r, ok := links(m, s, o); ok && len(p.good) == 0 {
		return r
	}
	r := refused(m, p, o)
	if len(p.bad) == 0 {
		if c := commands(m, s, p.good); c.Kind == KindCommands && len(c.Withheld) == 0 && len(c.Changes) == 0 {
			r.Waits = c.Commands
		}
	}
	return r
}

// silent reads a mail without words of its own.
func silent(m Mail, s split, o own) Reading {
	if ch := changes(m, s); len(ch) > 0 && m.Paper == PaperProof {
		return Reading{Kind: KindChanges, Changes: ch}
	}
	if o.thanks {
		return Reading{Kind: KindNothing}
	}
	return Reading{Kind: KindNote}
}

// courtesy is an "ok" where there is nothing to approve: to a report it is
// thanks, to a reminder it means that the mail was read, which is told once.
func courtesy(m Mail, lines []string) (Reading, bool) {
	for _, l := range lines {
		if w := phrase(m, l); !isAssent(w) {
			return Reading{}, false
		}
	}
	switch m.Paper {
	case PaperReminder:
		return Reading{Kind: KindNothing, Note: strings.Join(lines, "\n"), Nearest: string(WordApprove)}, true
	case PaperReport, PaperIssue, PaperOther:
		return Reading{Kind: KindNothing}, true
	}
	return Reading{}, false
}

// commands is a mail in which every line is one. What lets mail out does so
// only alone and above an untouched quote.
func commands(m Mail, s split, cmds []Command) Reading {
	r := Reading{Kind: KindCommands}
	var lets []Command
	for _, c := range cmds {
		if c.Lets {
			lets = addOnce(lets, c)
			continue
		}
		r.Commands = append(r.Commands, c)
	}
	var touched []Command
	if m.Paper == PaperProof {
		touched = changes(m, s)
	}
	if len(lets) == 0 {
		r.Changes = touched
		return r
	}
	switch {
	case len(touched) > 0:
		r.Withheld, r.Changes = lets, touched
		if len(r.Commands) == 0 {
			r.Kind = KindChanges
		}
	case len(lets) == 1 && len(r.Commands) == 0:
		r.Commands = lets
	default:
		r.Withheld, r.Other = lets, otherLines(r.Commands, lets)
		if len(r.Commands) == 0 { // two that contradict each other
			r.Kind, r.Note = KindNote, r.Other
		}
	}
	return r
}

// addOnce leaves out a command that says the same once more.
func addOnce(cmds []Command, c Command) []Command {
	for _, old := range cmds {
		if old.Word == c.Word && old.At.Equal(c.At) && len(old.Readings) == len(c.Readings) {
			return cmds
		}
	}
	return append(cmds, c)
}

func otherLines(cmds, lets []Command) string {
	if len(cmds) == 0 {
		cmds = lets
	}
	var lines []string
	for _, c := range cmds {
		lines = append(lines, c.Line)
	}
	return strings.Join(lines, "\n")
}

// refused is a mail with a line that is no command, or with a foot nobody
// knows: nothing is done by half.
func refused(m Mail, p parsed, o own) Reading {
	r := note(m, strings.Join(p.bad, "\n"))
	for _, c := range p.good {
		if c.Lets {
			r.Withheld = append(r.Withheld, c)
		}
	}
	if len(o.foot) > 0 {
		r.Signature = o.foot
		if len(p.bad) == 0 {
			r.Note, r.Nearest = strings.Join(o.foot, "\n"), ""
		}
	}
	if len(r.Withheld) > 0 {
		r.Other = r.Note
	}
	return r
}

// note is a mail that changes nothing.
func note(m Mail, words string) Reading {
	words = strings.TrimSpace(words)
	return Reading{Kind: KindNote, Note: words, Nearest: nearest(m, words)}
}

// links is rule 5: links in a short new mail wait with the others.
func links(m Mail, s split, o own) (Reading, bool) {
	if m.Reply {
		return Reading{}, false
	}
	found := findLinks(o.all())
	if len(found) == 0 {
		return Reading{}, false
	}
	return Reading{Kind: KindLinks, Links: found, Note: CutLinks(o.all(), found)}, true
}

// reactionText knows the text that Gmail lays beside a reaction part.
func reactionText(text string) bool {
	t := strings.TrimSpace(text)
	return len(t) < 200 && !strings.Contains(t, "\n") && strings.HasSuffix(strings.TrimSuffix(t, "."), " reacted via Gmail")
}
