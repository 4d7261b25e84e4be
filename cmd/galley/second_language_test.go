package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"text/template"
	"text/template/parse"

	"github.com/rogpeppe/go-internal/txtar"

	"galley/inbox/mime"
	"galley/send/list"
	"galley/send/store/storetest"
	"galley/templates"
)

// TestSecondLanguage tells stories in a house whose catalogue is another one:
// the English file with a mark around all of its words. What stands outside of
// the marks in a mail of the house, and is no word that somebody wrote, was
// written by the program, and no second language could say it.
func TestSecondLanguage(t *testing.T) {
	catalogue := markedCatalogue(t)
	all, err := filepath.Glob("testdata/stories/*.txtar")
	if err != nil || len(all) < 80 {
		t.Fatalf("%d stories, %v", len(all), err)
	}
	for n, file := range all {
		sample := n%3 == 0 && (n%10 == 0 || !testing.Short()) && !strings.HasSuffix(file, "a-year.txtar")
		if os.Getenv("GALLEY_SERVERS") == "" && !sample || raceDetector && n%9 > 0 { // CI tells them all, once
			continue
		}
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			synctest.Test(t, func(t *testing.T) {
				tellWith(t, archive, func(s *story) {
					if err := os.WriteFile(filepath.Join(s.dir, "desk.eo.txt"), []byte(catalogue), 0o600); err != nil {
						t.Fatal(err)
					}
					s.plan.foreign = wordsOf(archive)
				})
			})
		})
	}
}

// The faults of a list are said in English by the command line and by the
// catalogue in mails; both say the same.
func TestFaultsOfAListSayTheSame(t *testing.T) {
	says, err := templates.Read(templates.Look(""))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, address := range []string{"", "ada", "@a.example", strings.Repeat("a", 70) + "@a.example", "\xff@a.example", "a..b@a.example", "a b@a.example",
		"a@b", "a@-.example", "a@\u00ad\u0000.example", "a@b_c.example", strings.Repeat("a", 64) + "@" + strings.Repeat("abcdefg.", 25) + "example"} {
		_, err := list.ParseAddress(address)
		wrong, ok := err.(*list.Wrong)
		if !ok {
			t.Fatalf("%q: %v", address, err)
		}
		for inner := wrong; inner != nil; inner, _ = inner.Unwrap().(*list.Wrong) {
			seen[inner.Name] = true
		}
		if text, _, err := says.Fill(wrong.Parts()); err != nil || text != wrong.Error() {
			t.Errorf("%q: the catalogue says %q, the command line %q, %v", address, text, wrong, err)
		}
	}
	for _, file := range []string{"", "\xff\xfeaddress", "name\nAda", "address,date,status\na@b.example,03/04/2023\na@b.example,2923-01-01\na@b.example,,vip\na@b.example,,,,\n\"a\na@b.example,\"b\" c\na@b.example,\xe9\n" + strings.Repeat("a", 70_000)} {
		rep, err := new(list.List).Import(t.Context(), storetest.Open(t), "quiet", "a test", strings.NewReader(file), nil)
		for _, f := range append(rep.Faults, list.Fault{Wrong: err}) {
			wrong := (*list.Wrong)(nil)
			if !errors.As(f.Wrong, &wrong) {
				continue
			}
			for inner := wrong; inner != nil; inner, _ = inner.Unwrap().(*list.Wrong) {
				seen[inner.Name] = true
			}
			if text, _, err := says.Fill(wrong.Parts()); err != nil || text != wrong.Error() {
				t.Errorf("the catalogue says %q, the command line %q, %v", text, wrong, err)
			}
		}
	}
	if len(seen) < 15 {
		t.Errorf("only %d kinds of faults were made: %v", len(seen), seen)
	}
}

// words are runs of letters with single blanks between.
var wordRun = regexp.MustCompile(`\pL+(?:[ '’-]\pL+)*`)

func mark(s string) string { return wordRun.ReplaceAllString(s, "⟦$0⟧") }

// markedCatalogue is the English catalogue with a mark around all words that
// it says.
func markedCatalogue(t *testing.T) string {
	t.Helper()
	looks := templates.Look("")
	s, err := templates.Read(looks)
	if err != nil {
		t.Fatal(err)
	}
	all, err := template.New(templates.Catalogue).Funcs(s.Words()).ParseFS(looks, templates.Catalogue)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, block := range all.Templates() {
		if block.Name() == templates.Catalogue {
			continue
		}
		markNode(block.Root)
		fmt.Fprintf(&b, "{{define %q}}%s{{end}}\n", block.Name(), block.Root)
	}
	return b.String()
}

// markNode marks the text of a template, and the words that its functions are
// given to say.
func markNode(n parse.Node) {
	switch n := n.(type) {
	case *parse.ListNode:
		if n == nil {
			return
		}
		for _, c := range n.Nodes {
			markNode(c)
		}
	case *parse.TextNode:
		n.Text = []byte(mark(string(n.Text)))
	case *parse.ActionNode:
		markPipe(n.Pipe)
	case *parse.IfNode:
		markNode(n.List)
		markNode(n.ElseList)
	case *parse.RangeNode:
		markNode(n.List)
		markNode(n.ElseList)
	case *parse.WithNode:
		markNode(n.List)
		markNode(n.ElseList)
	}
}

// speaks are the functions whose text is said; of the others it is a name.
var speaks = []string{"count", "word", "figures", "or", "printf", "lead", "print"}

func markPipe(p *parse.PipeNode) {
	for _, c := range p.Cmds {
		id, ok := c.Args[0].(*parse.IdentifierNode)
		for _, a := range c.Args {
			switch a := a.(type) {
			case *parse.StringNode:
				if ok && slices.Contains(speaks, id.Ident) {
					a.Quoted = fmt.Sprintf("%q", markFormat(a.Text))
				}
			case *parse.PipeNode:
				markPipe(a)
			}
		}
	}
}

var formatVerb = regexp.MustCompile(`%[-+ .\d]*[a-z]`)

// markFormat leaves the verbs of a format as they are.
func markFormat(s string) string {
	var b strings.Builder
	last := 0
	for _, at := range formatVerb.FindAllStringIndex(s, -1) {
		b.WriteString(mark(s[last:at[0]]) + s[at[0]:at[1]])
		last = at[1]
	}
	return b.String() + mark(s[last:])
}

// marksOff takes the marks off a text; without any it does nothing.
var marksOff = strings.NewReplacer("⟦", "", "⟧", "")

// insideMarks is what stands inside of the marks.
var insideMarks = regexp.MustCompile(`⟦[^⟧]*⟧`)

// foreignWord is a word that a language would say otherwise: no address, code,
// name of a file or of a mail's field.
var foreignWord = regexp.MustCompile(`(?:^|[\s("'“>\[;,])([\pL][\pL'’]+)(?:$|[\s)"'”.,;:!?<\]])`)

// dotted is the name of a host or a file.
var dotted = regexp.MustCompile(`[\w-]+(?:\.[\w-]+)+`)

// technical are words outside of the catalogue that no language says otherwise,
// each with its reason.
var technical = map[string]string{
	"words to send back, which are English in every catalogue":                              "approve send now test change to delete title subtitle use in undo version sunday monday tuesday wednesday thursday friday saturday",
	"names of formats, fields, protocols and makers":                                        "Markdown OpenPGP DKIM CSV HTML YAML kB MB From Subject Re TK UTC Gmail",
	"an HTTP server's and a mail server's own words, as quoted":                             "Not Found mail from is not authenticated no such mailbox",
	"people, papers and places of the stories":                                              "Toronto Ines Moreau Jon Abara Quiet Machines Margin Notes Ada Reader Ben Nora Lind Friend Galley galley desk Harbour Lane Example Town reader",
	"what the stories' people write without a line of theirs":                               "Here it is this week's long at length " + gatewayBanner + gatewayFoot + " Part Essay on gear Author Piece weighs grams and whoever lifted it year wrote pages about lever Week Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
	"entries of the books, which are evidence and stay as they were written (trust.md 2.5)": "subscribed confirmed by mail editor asked left added released imported import of line joined message mailto mailed an consent",
}

// recordFaults are what galley check says of the DNS, for whoever looks after
// the machine: the mail to the editor quotes it as the command line says it.
var recordFaults = regexp.MustCompile(`(?s)⟦galley check says of them⟧.*?(⟦Whoever looks after)`)

// wordsOf are all words that the people of a story write.
func wordsOf(a *txtar.Archive) map[string]bool {
	known := map[string]bool{}
	add := func(s string) {
		for _, w := range regexp.MustCompile(`[\pL'’]+`).FindAllString(s, -1) {
			known[strings.ToLower(w)] = true
		}
	}
	for _, words := range technical {
		add(words)
	}
	for _, f := range a.Files {
		add(f.Name + " " + string(f.Data))
	}
	drafts, _ := filepath.Glob("testdata/drafts/*")
	for _, name := range drafts {
		if text, err := os.ReadFile(name); err == nil {
			add(string(text))
		}
	}
	for line := range strings.Lines(string(a.Comment)) {
		wrote := strings.Contains(line, " writes") || strings.Contains(line, " replies") || strings.Contains(line, " answers") || strings.Contains(line, " mails ") || strings.Contains(line, " sends back ") || strings.Contains(line, " returns ")
		if wrote && line[0] != ' ' {
			add(line)
		}
	}
	return known
}

// unmarked takes the marks off a mail of the house, as the stories read it, and
// tells of words outside of them.
func (w *world) unmarked(m *mime.Message) *mime.Message {
	page := regexp.MustCompile(`(?s)<style.*?</style>|<[^>]*>`).ReplaceAllString(m.HTML, "\n")
	for _, part := range []string{m.Subject, m.Plain, page} {
		rest := insideMarks.ReplaceAllString(recordFaults.ReplaceAllString(part, "$1"), "")
		for _, own := range []*regexp.Regexp{codes, tokens, dotted} {
			rest = own.ReplaceAllString(rest, "")
		}
		for range 2 { // neighbours share the blank between them
			rest = foreignWord.ReplaceAllStringFunc(rest, func(hit string) string {
				word := foreignWord.FindStringSubmatch(hit)[1]
				if len(word) > 2 && !w.plan.foreign[strings.ToLower(word)] {
					w.t.Errorf("%q stands outside of the catalogue in %q:\n%s", word, m.Subject, part)
				}
				return " "
			})
		}
	}
	plain := *m
	plain.Subject, plain.Plain, plain.HTML = marksOff.Replace(m.Subject), marksOff.Replace(m.Plain), marksOff.Replace(m.HTML)
	return &plain
}
