package message

import (
	"bytes"
	"strings"
	"testing"
)

// withFields is an issue that greets its readers, in the middle of lines and at
// their ends, in both parts.
func withFields(t testing.TB) *Compiled {
	t.Helper()
	i := testIssue()
	name := SlotField(FieldName, "dear friend & reader")
	i.HTML = []byte("<p>Good morning, " + name + "!</p><p>" + name + "</p><p>To " + SlotField(FieldAddress, "") + " <a href=\"" + SlotUnsubscribe + "\">Leave</a></p>")
	i.Text = []byte(name + ",\n\nthis letter is for " + name + "\nat " + SlotField(FieldAddress, "") + ".\n\n" + SlotUnsubscribe + "\nBye, " + name)
	c, err := Compile(i)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// What stands in a copy for a name, bars 2 and 12: each is one line of words,
// and no name is markup, an address to go to, or another line.
func TestFields(t *testing.T) {
	signers := testSigners(t)
	c := withFields(t)
	for name, want := range map[string]string{
		"Ann":                                "Ann",
		"":                                   "dear friend & reader",
		"   ":                                "dear friend & reader",
		"Zoë O'Hara-Łukasz":                  "Zoë O'Hara-Łukasz",
		".":                                  ".",
		"From here":                          "From here",
		"A  B\t C":                           "A B C",
		"two\r\n.\r\nlines\x00":              "two . lines",
		"x\u2028y\u0085z":                    "x y z",
		"\u202eevil\u2066":                   "evil",
		"<script>alert(1)</script>":          "dear friend & reader",
		"Buy at https://spam.example now":    "dear friend & reader",
		"www.spam.example":                   "dear friend & reader",
		"ann@spam.example":                   "dear friend & reader",
		"{{name}}":                           "dear friend & reader",
		"Tom & Jerry \"the\" =3D=":           "Tom & Jerry \"the\" =3D=",
		strings.Repeat("long ", 20):          "dear friend & reader",
		strings.Repeat("ø", longestName):     strings.Repeat("ø", longestName),
		SlotField(FieldName, "x") + "\uE000": "name.F0",
		"\xff\xfeAnn":                        "Ann",
	} {
		s := testSlots()
		s.To.Name = ""
		to := s
		to.To.Name = strings.Map(func(r rune) rune { // what a header takes is tested elsewhere
			if r == '\r' || r == '\n' || r == 0 {
				return ' '
			}
			return r
		}, name)
		msg, err := c.Splice(nil, to, signers)
		if err != nil {
			continue // a name that no header can have never comes this far
		}
		wire(t, msg)
		if good, err := verify(t, msg, signers); good != len(signers) {
			t.Errorf("%q: %d signatures hold: %v", name, good, err)
		}
		_, parts := bodies(t, msg)
		text, html := parts["text/plain"], parts["text/html"]
		for _, line := range []string{want + ",\r\n", "this letter is for " + want + "\r\n", "at " + s.To.Addr + ".\r\n", "Bye, " + want} {
			if !strings.Contains(text, strings.ReplaceAll(line, "\r\n", "\n")) && !strings.Contains(text, line) {
				t.Errorf("%q: the text lacks %q:\n%s", name, line, text)
			}
		}
		escaped := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;").Replace(want)
		if !strings.Contains(html, "<p>Good morning, "+escaped+"!</p><p>"+escaped+"</p>") {
			t.Errorf("%q: the HTML is %s", name, html)
		}
		again, fits, err := sealedCopy(c, to, signers)
		if err != nil || !fits || !bytes.Equal(again, msg) {
			t.Errorf("%q: with a seal: fits %v, %v", name, fits, err)
		}
	}
}

func sealedCopy(c *Compiled, s Slots, signers []*Signer) ([]byte, bool, error) {
	seal, err := c.Seal(nil, s, signers)
	if err != nil {
		return nil, false, err
	}
	return c.SpliceSealed(nil, s, signers, seal)
}

// The copy in stretches is the copy in one.
func TestApart(t *testing.T) {
	signers := testSigners(t)
	for _, c := range []*Compiled{withFields(t), mustCompile(t, testIssue())} {
		want, err := c.Splice(nil, testSlots(), signers)
		if err != nil {
			t.Fatal(err)
		}
		own, cuts, _, err := c.Apart([]byte("x"), nil, testSlots(), signers, nil)
		constant := c.Constant()
		if err != nil || len(cuts) != len(constant) || cuts[len(cuts)-1] != len(own) {
			t.Fatal(err, cuts, len(constant), len(own))
		}
		var got []byte
		from := 1
		for i, end := range cuts {
			got = append(append(got, own[from:end]...), constant[i]...)
			from = end
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%d octets, in one piece %d", len(got), len(want))
		}
	}
}

func mustCompile(t testing.TB, i *Issue) *Compiled {
	c, err := Compile(i)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A seal of another fallback fits no copy.
func TestFieldsInSeals(t *testing.T) {
	with := func(fallback string) *Compiled {
		i := testIssue()
		i.Text = []byte(SlotField(FieldName, fallback) + " " + SlotUnsubscribe)
		return mustCompile(t, i)
	}
	signers := testSigners(t)
	seal, err := with("friend").Seal(nil, testSlots(), signers)
	if err != nil {
		t.Fatal(err)
	}
	if _, fits, err := with("reader").SpliceSealed(nil, testSlots(), signers, seal); fits || err != nil {
		t.Errorf("fits %v, %v", fits, err)
	}
}

// What everybody sees has the fallbacks.
func TestFallbacks(t *testing.T) {
	for _, f := range []string{"friend", "Tom & Jerry", "", "a  b"} {
		got := string(Fallbacks([]byte("Dear "+SlotField(FieldName, f)+","), true))
		want := map[string]string{"friend": "Dear friend,", "Tom & Jerry": "Dear Tom &amp; Jerry,", "": "Dear …,", "a  b": "Dear a b,"}[f]
		if got != want {
			t.Errorf("%q: %s", f, got)
		}
	}
	for _, odd := range []string{"\uE000name", "\uE000name.\x00\uE001", "\uE000other.F0\uE001", "\uE000name.1\uE001"} {
		i := testIssue()
		i.Text = []byte(odd + " " + SlotUnsubscribe)
		if _, err := mustCompile(t, i).Splice(nil, testSlots(), nil); err != nil {
			t.Errorf("%q: %v", odd, err)
		}
	}
}

// Whatever the name, the copy is sound and its signatures hold.
func FuzzFields(f *testing.F) {
	f.Add("Ann", "friend")
	f.Add(" .\u00a0=\t", ".\r\nFrom ")
	f.Fuzz(func(t *testing.T, name, fallback string) {
		i := testIssue()
		i.Text = []byte("Dear " + SlotField(FieldName, fallback) + "\n" + SlotUnsubscribe + SlotField(FieldName, fallback))
		i.HTML = []byte(SlotField(FieldName, fallback) + SlotUnsubscribe)
		c, s, signers := mustCompile(t, i), testSlots(), testSigners(t)[1:]
		s.To.Name = name
		msg, err := c.Splice(nil, s, signers)
		if err != nil {
			return
		}
		if err := Check(msg); err != nil {
			t.Fatal(err)
		}
		if good, err := verify(t, msg, signers); good != 1 {
			t.Fatalf("%q, %q: %v", name, fallback, err)
		}
	})
}
