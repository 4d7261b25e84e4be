package lint

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"galley/compose/markdown"
	"galley/compose/probe"
	"galley/templates"
)

// showing is one issue: a body, what is wrong around it, and what its links
// answered.
type showing struct {
	body    string
	spoil   func(*Input)
	answers map[string]probe.Answer
}

func (s showing) find(t *testing.T) []markdown.Finding {
	t.Helper()
	in := input(t, s.body)
	if s.spoil != nil {
		s.spoil(&in)
	}
	found := Check(in)
	if s.answers != nil {
		found = Reach(in.Doc, s.answers, found)
	}
	return found
}

func body(s string) showing           { return showing{body: s} }
func spoilt(f func(*Input)) showing   { return showing{spoil: f} }
func subjectIs(s string) showing      { return spoilt(func(in *Input) { in.Subject = s }) }
func previewIs(s string) showing      { return spoilt(func(in *Input) { in.Preheader = s }) }
func titled(s string) showing         { return spoilt(func(in *Input) { in.Doc.Front.Title = s }) }
func answered(a probe.Answer) showing { return asked("https://plan.town/x", a) }
func withFile(f File) showing         { return spoilt(func(in *Input) { in.Files = []File{f} }) }
func asked(u string, a probe.Answer) showing {
	return showing{body: "[The plan](" + u + ")", answers: map[string]probe.Answer{u: a}}
}

func imaged(a probe.Answer) showing {
	u := "https://plan.town/b.png"
	return showing{body: "![A boat](" + u + ")", answers: map[string]probe.Answer{u: a}}
}

func weighing(kilobytes int) showing {
	return showing{body: "## Big One\n\nx", spoil: func(in *Input) {
		in.HTML = append(in.HTML, strings.Repeat("x", kilobytes*1000)...)
	}}
}

func writtenOn(day time.Time) showing { return spoilt(func(in *Input) { in.Written = day }) }
func mailed(html string) showing {
	return showing{body: "Pale words of an essay.", spoil: func(in *Input) { in.HTML = []byte(html + "<p>" + leave) }}
}

// everyFinding has for each finding one issue that shows it, the words that it
// quotes, the line that it names (the body begins in line 11), and a near
// relative on which it is silent. Line 0 and no words are of findings about the
// mail as a whole.
var everyFinding = map[string]struct {
	shown  showing
	words  string
	line   int
	silent showing
}{
	"link-dead":      {answered(probe.Answer{State: probe.Gone, Why: "status", Status: 404}), "https://plan.town/x", 11, answered(probe.Answer{State: probe.Fine})},
	"link-silent":    {answered(probe.Answer{State: probe.Silent, Why: "no-answer"}), "https://plan.town/x", 11, answered(probe.Answer{State: probe.Fine})},
	"link-refused":   {answered(probe.Answer{State: probe.Refused, Why: "status", Status: 403}), "https://plan.town/x", 11, answered(probe.Answer{State: probe.Fine})},
	"link-private":   {answered(probe.Answer{State: probe.Forbidden, Why: "astray"}), "https://plan.town/x", 11, answered(probe.Answer{State: probe.Reserved})},
	"link-waiting":   {answered(probe.Answer{State: probe.Waiting}), "https://plan.town/x", 11, answered(probe.Answer{State: probe.Fine})},
	"link-elsewhere": {answered(probe.Answer{State: probe.Fine, Final: "https://casino.town/"}), "https://plan.town/x", 11, answered(probe.Answer{State: probe.Fine, Final: "https://www.plan.town/x/"})},
	"image-dead":     {imaged(probe.Answer{State: probe.Gone, Why: "status", Status: 404}), "https://plan.town/b.png", 11, imaged(probe.Answer{State: probe.Fine})},
	"http-link":      {asked("http://plan.town/", probe.Answer{State: probe.Fine, Secure: true}), "The plan", 11, asked("http://plan.town/", probe.Answer{State: probe.Fine})},

	"tracking":          {body("[The plan](https://a.example/?utm_source=y)"), "The plan", 11, body("[The plan](https://a.example/?s=20&t=6E)")},
	"shortener":         {body("[x](https://bit.ly/3x)"), "https://bit.ly/3x", 11, body("[x](https://doi.org/10.1/x)")},
	"bracket-text":      {body("A tool [PDF link]"), "[PDF link]", 11, body("[video] [Boats](https://a.example/)")},
	"empty-link":        {body("[](https://a.example/)"), "https://a.example/", 11, body("[a](https://a.example/)")},
	"bad-link":          {body("[x](<https://a b.example/>)"), "https://a%20b.example/", 11, body("[x](https://ab.example/)")},
	"relative-link":     {body("[x](issues/0128)"), "issues/0128", 11, body("[x](mailto:bo@plan.example)")},
	"unknown-fragment":  {body("[The crew](#nowhere)"), "The crew", 11, body("### Now here\n\n[x](#now-here)")},
	"already-published": {body("[Old](https://old.example/) - Ann"), "Old", 11, body("[New](https://new.example/) - Ann")},
	"linked-twice":      {body("[A](https://a.example/) - Ann\n\n[B](https://a.example/) - Bo"), "B", 13, body("[A](https://a.example/) - Ann\n\n[B](https://b.example/) - Bo")},
	"own-address":       {body("Write to nwes@harbour.example!"), "nwes@harbour.example", 11, body("Write to news@harbour.example!")},

	"missing-alt":       {body("![](https://a.example/x.png)"), "x.png", 11, body("![A boat](https://a.example/x.png)")},
	"alt-is-file-name":  {body("![IMG_2041.jpeg](https://a.example/x.png)"), "IMG_2041.jpeg", 11, body("![A boat](https://a.example/IMG_2041.jpeg)")},
	"image-wide":        {body("![A boat](https://a.example/wide.png)"), "wide.png", 11, body("![A boat](https://a.example/good.png)")},
	"image-heavy":       {body("![A boat](https://a.example/heavy.png)"), "heavy.png", 11, body("![A boat](https://a.example/good.png)")},
	"image-missing":     {showing{body: "![A boat](boat.png)", spoil: func(in *Input) { in.Missing = []string{"boat.png"} }}, "boat.png", 11, body("![A boat](https://a.example/boat.png)")},
	"image-unreadable":  {withFile(File{Name: "boat.png", Line: 4, Used: true, Why: "It is no picture.", Remedy: "Save it again."}), "boat.png", 4, withFile(File{Name: "boat.png", Line: 4, Used: true})},
	"image-unused":      {withFile(File{Name: "boat.png", OnPurpose: true}), "boat.png", 0, withFile(File{Name: "logo.png"})},
	"images-heavy":      {withFile(File{Name: "boat.png", Line: 4, Used: true, Carried: 4 << 20}), "boat.png", 4, withFile(File{Name: "boat.png", Line: 4, Used: true, Carried: 1 << 20})},
	"relative-image":    {body("![A boat](/img/boat.png)"), "/img/boat.png", 11, showing{body: "![A boat](/img/boat.png)", spoil: func(in *Input) { in.HasSite = true }}},
	"image-after-quote": {body("> said the crew.\n![A boat](https://a.example/x.png)"), "![A boat](https://a.example/x.png)", 12, body("> said the crew.\n\n![A boat](https://a.example/x.png)")},

	"empty-section":     {body("### One\n\n----------\n\n### Two\n\nText."), "One", 11, body("### One\n\nText.\n\n### Two\n\nText.")},
	"section-new":       {body("## Boats in Winter\n\nText."), "Boats in Winter", 11, body("## Managing Teams\n\nText.")},
	"section-name":      {body("## Managing Taems\n\nText."), "Managing Taems", 11, body("## managing teams\n\nText.")},
	"setext":            {body("The harbour office closes at four on Fridays from now on.\n==="), "The harbour office closes at four on Fridays from now on.", 11, body("The harbour office closes at four on Fridays from now on.\n\n---")},
	"unbalanced-quotes": {body("The terms “strategy” and “tactics“ confuse."), "“strategy” and “tactics“ confuse.", 11, body("The terms “strategy” and “tactics” confuse.")},
	"placeholder":       {body("It has TK members."), "It has TK members.", 11, body("Tk is a toolkit.")},

	"subject-missing":   {subjectIs(" "), "", 1, subjectIs("#7")},
	"subject-long":      {subjectIs(strings.Repeat("boat ", 40)), short(strings.Repeat("boat ", 40)), 1, subjectIs(strings.Repeat("boat ", 12))},
	"subject-shouting":  {subjectIs("READ THIS NOW"), "READ THIS NOW", 1, subjectIs("#7 HPC")},
	"preheader-missing": {previewIs(""), "", 1, previewIs("A boat")},
	"preheader-repeats": {previewIs("#7 - 3 May 2026"), "#7 - 3 May 2026", 1, previewIs("A boat")},
	"preheader-long":    {previewIs(strings.Repeat("boat ", 30)), short(strings.Repeat("boat ", 30)), 1, previewIs("A boat")},

	"too-big":             {weighing(101), "Big One", 11, weighing(80)},
	"nearly-too-big":      {weighing(93), "Big One", 11, weighing(80)},
	"unsubscribe-missing": {spoilt(func(in *Input) { in.Text = nil }), "", 0, spoilt(nil)},
	"unsubscribe-late":    {spoilt(func(in *Input) { in.HTML = []byte(strings.Repeat("x", 95_000) + leave) }), "", 0, weighing(93)},
	"short":               {spoilt(func(in *Input) { in.Doc = &markdown.Document{} }), "", 0, spoilt(nil)},
	"no-links":            {spoilt(func(in *Input) { in.Doc.Links = nil }), "", 0, spoilt(nil)},

	"not-shown": {body("![A boat](https://a.example/boat.tiff)"), "boat.tiff", 11, body("![A boat](https://a.example/boat.png)")},
	"contrast":  {mailed(`<p style="color:#999">Pale words of an essay.`), "Pale words of an essay.", 11, mailed(`<p style="color:#333">Pale words of an essay.`)},

	"spam-words":       {body("Act now! The berths are few."), "Act now!", 11, body("> Act now! The berths are few.")},
	"date-title":       {titled("#7 - 2 May 2026"), "#7 - 2 May 2026", 1, titled("#7 - May 3rd, 2026")},
	"date-far":         {writtenOn(time.Date(2026, 2, 1, 9, 0, 0, 0, time.UTC)), "2026-05-03", 1, writtenOn(time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC))},
	"weekday":          {body("Come on Monday 5 May 2026."), "Monday 5 May 2026", 11, body("Come on Monday 4 May 2026.")},
	"number-not-next":  {spoilt(func(in *Input) { in.Number = 8 }), "#8", 1, spoilt(nil)},
	"attached-nothing": {body("Please find attached the plan."), "Please find attached the plan.", 11, body("The rope is attached to the quay.")},
	"web-words":        {body("If you know one, just hit reply."), "If you know one, just hit reply.", 11, body("<div class=\"email-only\">\n\nIf you know one, just hit reply.\n\n</div>")},
}

// say writes a finding's words, in English.
func say(t testing.TB, f markdown.Finding) (message, remedy string) {
	t.Helper()
	if f.Message != "" {
		return f.Message, f.Remedy // whoever brought the finding knew its words
	}
	s, err := templates.Read(english)
	if err != nil {
		t.Fatal(err)
	}
	message, remedy, err = s.Fill(f.Sentence().Parts())
	if err != nil {
		t.Fatal(err)
	}
	return message, remedy
}

var english = templates.Look("")

func TestEveryFinding(t *testing.T) {
	for code, c := range everyFinding {
		t.Run(code, func(t *testing.T) {
			is := func(f markdown.Finding) bool { return f.Code == code }
			found := c.shown.find(t)
			at := slices.IndexFunc(found, is)
			if at < 0 {
				t.Fatalf("not shown: %v", codes(found))
			}
			f := found[at]
			if f.Words != c.words || f.Line != c.line {
				t.Errorf("line %d quotes %q; want line %d, %q", f.Line, f.Words, c.line, c.words)
			}
			if message, remedy := say(t, f); message == "" || remedy == "" || strings.Contains(message+remedy, "no value") {
				t.Errorf("no words for the editor: %q, %q of %+v", message, remedy, f)
			}
			if found := c.silent.find(t); slices.ContainsFunc(found, is) {
				t.Errorf("not silent: %v", codes(found))
			}
		})
	}
}

// TestEveryFindingIsListed reads this package and holds its codes against the
// table, so that no finding comes without a draft that shows it.
func TestEveryFindingIsListed(t *testing.T) {
	written := codesOfSource(t)
	for code := range written {
		if _, ok := everyFinding[code]; !ok {
			t.Errorf("%s has no draft that shows it and none on which it is silent", code)
		}
	}
	for code := range everyFinding {
		if !written[code] {
			t.Errorf("%s is listed and nothing finds it", code)
		}
	}
}

// codesOfSource are the strings that the source gives to a field named Code.
func codesOfSource(t *testing.T) map[string]bool {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	note := func(e ast.Expr) {
		if lit, ok := e.(*ast.BasicLit); ok {
			if code, err := strconv.Unquote(lit.Value); err == nil {
				found[code] = true
			}
		}
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.KeyValueExpr:
				if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Code" {
					note(n.Value)
				}
			case *ast.AssignStmt:
				for i, left := range n.Lhs {
					if s, ok := left.(*ast.SelectorExpr); ok && s.Sel.Name == "Code" && i < len(n.Rhs) {
						note(n.Rhs[i])
					}
				}
			}
			return true
		})
	}
	return found
}
