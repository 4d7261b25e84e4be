package intent

import (
	"bufio"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"galley/compose/corpora"
)

// thursday is when the answers of the examples are written.
func thursday() time.Time {
	zone, err := time.LoadLocation("America/Toronto")
	if err != nil {
		panic(err)
	}
	return time.Date(2022, 7, 14, 20, 0, 0, 0, zone)
}

const proofQuoted = "PROOF 3 OF #130: ready\nSubject  #130 - 16 Jul 2022\napprove   send it\n## Managing Teams\nSeven Skills"

type example struct {
	N       int
	Context struct {
		ReplyTo     string `json:"reply_to"`
		Code        string
		EditedQuote string `json:"edited_quote"`
		Attachments []string
		Subject     string
		Open        map[string]string
		Others      bool
		Reaction    bool
	}
	Body, Want string
}

var (
	bodyOf    = regexp.MustCompile(`\{\{body of ([^,}]+)(?:, "([^"]*)" -> "([^"]*)")?\}\}`)
	frontHead = regexp.MustCompile(`(?s)^---\n.*?\n---\n`)
)

func bodyText(t *testing.T, dir, file string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		t.Fatal(err)
	}
	return frontHead.ReplaceAllString(strings.ReplaceAll(string(b), "\r\n", "\n"), "")
}

func (e example) mail(t *testing.T, dir string) Mail {
	t.Helper()
	m := Mail{Subject: e.Context.Subject, Paper: Paper(e.Context.ReplyTo), Reply: e.Context.ReplyTo != "", ToOthers: e.Context.Others,
		Reaction: e.Context.Reaction, Names: []string{"Jonathan Dursi"}, Now: thursday(), Zone: thursday().Location()}
	if m.Paper == "letter" {
		m.Paper = PaperOther
	}
	m.Current = m.Paper == PaperProof && e.Context.Code == "valid"
	m.Text = bodyOf.ReplaceAllStringFunc(e.Body, func(s string) string {
		g := bodyOf.FindStringSubmatch(s)
		return strings.ReplaceAll(bodyText(t, dir, g[1]), g[2], g[3])
	})
	for _, a := range e.Context.Attachments {
		m.Attachments = append(m.Attachments, Attachment{Name: a, Type: "text/markdown", Text: "---\ntitle: \"#130\"\n---\nHi!\n"})
	}
	for _, f := range e.Context.Open {
		m.Open = append(m.Open, Text{Issue: 130, Paper: "draft", Body: bodyText(t, dir, f)})
	}
	if m.Paper == PaperProof {
		m.Quoted = proofQuoted
	}
	return m
}

// as says in the words of the example's table what a reading comes to.
func as(r Reading) string {
	switch {
	case r.Kind == KindDraft:
		return "DRAFT"
	case r.Kind == KindHold:
		return "HOLD"
	case r.Kind == KindLinks:
		return "LINK"
	case r.Kind == KindNothing || r.Kind == KindReaction:
		return "NOTHING"
	case r.Kind == KindChanges:
		return "NOT APPROVED"
	case r.Kind == KindNote:
		return "NOTE"
	}
	for _, c := range r.Commands {
		if c.Lets && (!c.At.IsZero() || len(c.Readings) > 0) {
			return "SEND AT"
		}
		if c.Lets {
			return "APPROVE"
		}
	}
	if r.Commands[0].Word == WordChange {
		return "DRAFT"
	}
	return "DO"
}

// TestSharedExamples runs the example mails that stand beside the design.
// What the desk or the sender's evidence decides is read here as what the
// mail asks.
func TestSharedExamples(t *testing.T) {
	dir := corpora.Dir(t)
	f, err := os.Open(filepath.Join(dir, "..", "design", "editor-mails.jsonl"))
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("the examples beside the corpora are missing: %v", err)
		}
		t.Skip("no examples beside the corpora")
	}
	defer f.Close()
	asks := map[int]string{27: "APPROVE", 28: "APPROVE", 29: "DRAFT", 30: "APPROVE"}
	right, total := 0, 0
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		var e example
		if err := json.Unmarshal(sc.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		want := asks[e.N]
		if want == "" {
			want = e.Want
		}
		total++
		r := Read(e.mail(t, dir))
		if got := as(r); !strings.HasPrefix(want, got) {
			t.Errorf("%d: %s, want %s: %+v", e.N, got, want, r)
			continue
		}
		right++
	}
	t.Logf("example mails: %d of %d", right, total)
}

// TestRepliesLetNothingOut takes other people's replies as answers to a
// proof: nothing may be let out and nothing held.
func TestRepliesLetNothingOut(t *testing.T) {
	dir := corpora.Dir(t)
	n, drafts := 0, 0
	for _, c := range []string{"replies-*", "threads-*", "forwards-*"} {
		roots, _ := filepath.Glob(filepath.Join(dir, c, "files"))
		for _, root := range roots {
			walk(t, root, func(path, text string) {
				n++
				r := Read(Mail{Subject: "Re: Proof 3 of #130: ready", Text: text, Reply: true, Paper: PaperProof, Current: true,
					Names: []string{"Jonathan Dursi"}, Quoted: proofQuoted, Now: thursday(), Zone: thursday().Location()})
				if r.Kind == KindHold {
					t.Errorf("%s: held by %q", path, r.Commands[0].Line)
				}
				for _, cmd := range r.Commands {
					if cmd.Lets {
						t.Errorf("%s: let out by %q", path, cmd.Line)
					}
				}
				if r.Kind == KindDraft {
					drafts++
					t.Logf("%s: a draft (%s)", path, r.Draft.Form)
				}
			})
		}
	}
	t.Logf("%d replies, %d taken for drafts", n, drafts)
	if n == 0 {
		t.Error("no reply read")
	}
}

// walk reads every text under a folder; of a whole message the part below
// the head, as it stands.
func walk(t *testing.T, root string, each func(path, text string)) {
	t.Helper()
	n := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.Contains(path, ".html") {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if n++; (testing.Short() || raceDetector) && n%8 != 1 { // a sample, for the race detector is slow
			return nil
		}
		text := strings.ReplaceAll(string(b), "\r\n", "\n")
		if strings.HasSuffix(path, ".eml") || strings.Contains(path, "threads-") {
			if _, body, ok := strings.Cut(text, "\n\n"); ok {
				text = body
			}
		}
		each(path, text)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestNewslettersAreDrafts mails issues of every family without their front
// matter: each must be a draft.
func TestNewslettersAreDrafts(t *testing.T) {
	dir := corpora.Dir(t)
	roots, _ := filepath.Glob(filepath.Join(dir, "newsletters-*", "files"))
	all, right := 0, 0
	for _, root := range roots {
		family := filepath.Base(filepath.Dir(root))
		if strings.Contains(family, "json") {
			continue
		}
		n, ok := 0, 0
		walk(t, root, func(path, text string) {
			text = regexp.MustCompile(`(?s)^\s*(---|\+\+\+)\s*\n.*?\n(---|\+\+\+)[ \t]*\n`).ReplaceAllString(text, "")
			n++
			r := Read(Mail{Subject: "#131 - 23 Jul 2022", Text: text, Names: []string{"Jonathan Dursi"}, Now: thursday()})
			if r.Kind != KindDraft {
				t.Logf("%s: %s, %d characters", path, r.Kind, len([]rune(text)))
				return
			}
			if strings.TrimSpace(r.Draft.Text) == "" {
				t.Errorf("%s: an empty draft", path)
			}
			ok++
		})
		t.Logf("%s: %d of %d", family, ok, n)
		all, right = all+n, right+ok
	}
	t.Logf("newsletters: %d of %d are drafts", right, all)
	if right != all {
		t.Errorf("%d are not", all-right)
	}
}

// TestNextIssueAndRevision: a revision and a starter sent back share a third,
// next week's issue does not.
func TestNextIssueAndRevision(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(corpora.Dir(t), "newsletters-rct", "files", "*.md"))
	var before string
	near := 0
	for _, f := range files {
		text := bodyText(t, filepath.Dir(f), filepath.Base(f))
		if !shares([]Text{{Body: text}}, strings.ReplaceAll(text, "the", "a")) {
			t.Errorf("%s: a revision is not known", f)
		}
		if before != "" && shares([]Text{{Body: before}}, text) {
			near++
			t.Logf("%s shares a third with the one before", f)
		}
		before = text
	}
	if near > 0 {
		t.Errorf("%d of %d issues are taken for the one before", near, len(files))
	}
}
