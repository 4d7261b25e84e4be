package templates

import (
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func read(t *testing.T, fsys fs.FS, name string) string {
	t.Helper()
	data, err := fs.ReadFile(fsys, name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestLook(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "issue.txt"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	look := Look(dir)
	if got := read(t, look, "issue.txt"); got != "mine" {
		t.Errorf("the user's file does not count: %q", got)
	}
	if got := read(t, look, "issue.html"); got != read(t, Look(""), "issue.html") {
		t.Error("the embedded file does not stand in")
	}
	if _, err := fs.ReadFile(look, "nothing.html"); err == nil {
		t.Error("a file that is nowhere opens")
	}
}

// A look is chosen for a newsletter by @ and its name, for an issue out of what
// the newsletter has; a user's folder may hold looks of its own.
func TestLooks(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "looks", "winter"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"looks/winter/issue.html": "winter", "issue.txt": "mine"} {
		if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	plain, usual := read(t, embedded, plainMail), read(t, embedded, "issue.html")
	for _, c := range []struct{ from, layout, mail, text string }{
		{"", "", usual, read(t, embedded, "issue.txt")},
		{"@plain", "", plain, read(t, embedded, "issue.txt")},
		{"@standard", "", usual, read(t, embedded, "issue.txt")},
		{"", "plain", plain, read(t, embedded, "issue.txt")},
		{"@plain", "standard", usual, read(t, embedded, "issue.txt")},
		{dir, "", usual, "mine"},
		{dir, "plain", plain, "mine"},
		{dir, "winter", "winter", "mine"},
	} {
		look, ok := Look(c.from), true
		if c.layout != "" {
			look, ok = Choose(look, c.layout)
		}
		if !ok || read(t, look, "issue.html") != c.mail || read(t, look, "issue.txt") != c.text {
			t.Errorf("%q with layout %q gives other files", c.from, c.layout)
		}
	}
	if got := strings.Join(Names(Look(dir)), " "); got != "plain standard winter" {
		t.Errorf("the looks are %s", got)
	}
	for _, bad := range []string{"email", "..", "../..", "", "/", "plain/"} {
		if _, ok := Choose(Look(dir), bad); ok || Known(bad) {
			t.Errorf("there is a look %q", bad)
		}
	}
}

// A user's file that cannot be read must not silently become ours.
func TestLookUnreadable(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "issue.html"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := fs.ReadFile(Look(dir), "issue.html"); err == nil {
		t.Error("a folder in place of issue.html is passed over")
	}
}

const (
	plainMail = "looks/plain/issue.html"
	plainWeb  = "looks/plain/web.html"
)

// pair is text on a ground, in a rule of the style sheets.
const plainPage = "looks/plain/page.css"

type pair struct{ file, text, ground string }

// TestContrast holds every pair of colours to WCAG 2.2, 1.4.3: 4.5 to 1. Each
// colour must stand in its file, so that a change there is a change here.
func TestContrast(t *testing.T) {
	pairs := []pair{
		{"issue.html", "#24282c", "#ffffff"}, {"issue.html", "#16191c", "#ffffff"}, {"issue.html", "#5a626a", "#ffffff"},
		{"issue.html", "#a8351a", "#ffffff"}, {"issue.html", "#b23a1e", "#ffffff"}, {"issue.html", "#3d4349", "#ffffff"},
		{"issue.html", "#5a626a", "#f7f5f0"}, {"issue.html", "#24282c", "#f7f5f0"}, {"issue.html", "#5a626a", "#f3f1ec"},
		{"issue.html", "#24282c", "#f3f1ec"}, {"issue.html", "#a8351a", "#f3f1ec"},
		{"issue.html", "#d6dade", "#181b1e"}, {"issue.html", "#f4f5f6", "#181b1e"}, {"issue.html", "#a3abb3", "#181b1e"},
		{"issue.html", "#ff9c82", "#181b1e"}, {"issue.html", "#c3c9cf", "#181b1e"}, {"issue.html", "#a3abb3", "#212529"},
		{"issue.html", "#d6dade", "#212529"}, {"issue.html", "#a3abb3", "#101214"}, {"issue.html", "#d6dade", "#24292d"},
		{"issue.html", "#ff9c82", "#24292d"},
		{"web.html", "#5a626a", "#f7f5f0"}, {"web.html", "#a3abb3", "#212529"}, {"web.html", "#a8351a", "#f7f5f0"},
		{"web.html", "#ff9c82", "#212529"}, {"web.html", "#5a626a", "#f3f1ec"}, {"web.html", "#a3abb3", "#101214"},
		{"web.html", "#24282c", "#f3f1ec"}, {"web.html", "#d6dade", "#101214"},
		{plainMail, "#1f2328", "#ffffff"}, {plainMail, "#59636e", "#ffffff"}, {plainMail, "#0b57a4", "#ffffff"}, {plainMail, "#454c54", "#ffffff"}, {plainMail, "#1f2328", "#f3f5f7"},
		{plainMail, "#d4d9de", "#15181b"}, {plainMail, "#f0f3f6", "#15181b"}, {plainMail, "#9ea7b0", "#15181b"}, {plainMail, "#79b8ff", "#15181b"}, {plainMail, "#bcc3ca", "#15181b"}, {plainMail, "#d4d9de", "#23282d"},
		{plainWeb, "#59636e", "#fff"}, {plainWeb, "#0b57a4", "#fff"}, {plainWeb, "#454c54", "#fff"}, {plainWeb, "#9ea7b0", "#15181b"}, {plainWeb, "#79b8ff", "#15181b"}, {plainWeb, "#bcc3ca", "#15181b"},
		{"page.css", "#fff", "#a8351a"}, {"page.css", "#fff", "#b5411f"}, {"page.css", "#5a626a", "#fff"}, {"page.css", "#a3abb3", "#181b1e"},
		{plainPage, "#1f2328", "#fff"}, {plainPage, "#59636e", "#fff"}, {plainPage, "#0b57a4", "#fff"}, {plainPage, "#fff", "#1f6bb8"}, {plainPage, "#d4d9de", "#15181b"}, {plainPage, "#9ea7b0", "#15181b"}, {plainPage, "#79b8ff", "#15181b"},
	}
	for _, p := range pairs {
		css := read(t, embedded, p.file)
		if !strings.Contains(css, p.text) || !strings.Contains(css, p.ground) {
			t.Errorf("%s has no %s on %s any more", p.file, p.text, p.ground)
		}
		if c := contrast(t, p.text, p.ground); c < 4.5 {
			t.Errorf("%s: %s on %s is %.2f to 1", p.file, p.text, p.ground, c)
		}
	}
}

func contrast(t *testing.T, a, b string) float64 {
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	hex := colour[1:]
	if len(hex) == 3 {
		hex = string([]byte{hex[0], hex[0], hex[1], hex[1], hex[2], hex[2]})
	}
	n, err := strconv.ParseUint(hex, 16, 32)
	if err != nil {
		t.Fatal(err)
	}
	channel := func(v uint64) float64 {
		c := float64(v&0xff) / 255
		if c <= 0.03928 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*channel(n>>16) + 0.7152*channel(n>>8) + 0.0722*channel(n)
}

// The mail's dark colours must stand against what was inlined, and the web pages
// must not need inline styles, which their content security policy refuses.
func TestStyleRules(t *testing.T) {
	for _, name := range []string{"issue.html", plainMail} {
		darkRules(t, name)
	}
	for _, name := range []string{"web.html", "page.html", plainWeb} {
		if strings.Contains(read(t, embedded, name), ` style="`) {
			t.Errorf("%s has an inline style", name)
		}
	}
}

func darkRules(t *testing.T, name string) {
	mail := read(t, embedded, name)
	_, dark, _ := strings.Cut(mail, "prefers-color-scheme:dark")
	dark, _, _ = strings.Cut(dark, "</style>")
	for _, d := range regexp.MustCompile(`[{;]([a-z-]+:[^;{}]*)`).FindAllStringSubmatch(dark, -1) {
		if !strings.HasSuffix(d[1], "!important") {
			t.Errorf("%s: a dark rule that loses against the inlined one: %s", name, d[1])
		}
	}
}

// Every file that somebody may put in the place of ours is told of.
func TestREADMENamesEveryFile(t *testing.T) {
	guide, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := fs.Glob(embedded, "*.*")
	if err != nil || len(files) < 8 {
		t.Fatalf("%v: %v", files, err)
	}
	for _, name := range files {
		if !strings.Contains(string(guide), "`"+name+"`") {
			t.Errorf("%s is not in README.md", name)
		}
	}
}

// Reading the catalogue costs a hundred times what one mail does, so all that
// lies on the built-in files shares what was read of them. A catalogue of the
// user's own is read, also when it comes later.
func TestTheCatalogueIsReadOnce(t *testing.T) {
	speaker := func(looks fs.FS) *Speaker {
		t.Helper()
		s, err := Read(looks)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	dir := t.TempDir()
	usual, own := speaker(Look("")), Look(dir)
	chosen, _ := Choose(Look(""), "plain")
	for name, looks := range map[string]fs.FS{"the standard look": Look(""), "another look": Look("@plain"), "a chosen one": chosen, "a language": Speaking(Look(""), "en-GB"), "an empty folder": own} {
		if speaker(looks) != usual {
			t.Errorf("%s has its catalogue read again", name)
		}
	}
	text := strings.Replace(read(t, embedded, Catalogue), "The words I know", "What I understand", 1)
	if err := os.WriteFile(filepath.Join(dir, Catalogue), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if subject, _, err := Say(own, "help", map[string]any{"Readers": 1, "Waiting": 0, "Letters": 0}); err != nil || subject != "What I understand" {
		t.Errorf("the user's own catalogue says %q, %v", subject, err)
	}
}
