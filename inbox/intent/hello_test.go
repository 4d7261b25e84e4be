package intent

import (
	"reflect"
	"strings"
	"testing"
)

const quotedHello = "\n\nOn Mon, 3 Jan 2000 at 9:00 AM RCT desk <news+k7qf@rct.example> wrote:\n> I am the desk of Research Computing Teams.\n>\n>   hello\n"

func TestReadHello(t *testing.T) {
	const banner = "CAUTION: This email originated outside of the organisation.\nDo not click links unless you know the sender."
	for name, x := range map[string]struct {
		text string
		want Greeted
	}{
		"the word":        {"hello" + quotedHello, Greeted{}},
		"with the name":   {"Hello!\n\nJonathan" + quotedHello, Greeted{}},
		"another tongue":  {"Hallo" + quotedHello, Greeted{}},
		"a yes":           {"ok" + quotedHello, Greeted{}},
		"no quote":        {"hello", Greeted{}},
		"a phone":         {"Hello\n\nSent from my iPhone" + quotedHello, Greeted{}},
		"a signature":     {"hello\n\nJonathan Dursi\nResearch Computing Teams\n+1 416 555 0100" + quotedHello, Greeted{Signature: []string{"Research Computing Teams", "+1 416 555 0100"}}},
		"under a mark":    {"hello\n\n-- \nResearch Computing Teams" + quotedHello, Greeted{Signature: []string{"Research Computing Teams"}}},
		"a motto":         {"hello\n\nRCT\nStop. Think. Measure." + quotedHello, Greeted{Signature: []string{"RCT"}}},
		"a banner":        {banner + "\n\nhello" + quotedHello, Greeted{Banner: banner}},
		"a foot":          {"hello" + quotedHello + "\n" + banner, Greeted{Foot: banner}},
		"bottom-posted":   {banner + quotedHello + "\nhello\n\nRCT", Greeted{Banner: banner, Signature: []string{"RCT"}}},
		"a question":      {"hello\n\nWhen does the first one go?" + quotedHello, Greeted{Rest: []string{"When does the first one go?"}}},
		"another command": {"hello\nstatus" + quotedHello, Greeted{Rest: []string{"status"}}},
		"a command above": {"status\nhello" + quotedHello, Greeted{Rest: []string{"status"}}},
	} {
		r := Read(Mail{Subject: "Re: Hello", Text: x.text, Reply: true, Paper: PaperHello, Names: []string{"Jonathan Dursi"}, Desk: []string{"RCT desk", "news@rct.example"}})
		if r.Kind != KindCommands || len(r.Commands) != 1 || r.Commands[0].Word != WordHello || r.Commands[0].Lets || r.Greeted == nil {
			t.Errorf("%s: read as %+v", name, r)
			continue
		}
		if !reflect.DeepEqual(*r.Greeted, x.want) {
			t.Errorf("%s: shows %+v, want %+v", name, *r.Greeted, x.want)
		}
	}
}

// What is no hello is read as in answer to any other mail, and words that hold
// are stronger.
func TestReadNoHello(t *testing.T) {
	for text, want := range map[string]Kind{"stop": KindHold, "What is this?": KindNote, "status": KindCommands} {
		r := Read(Mail{Subject: "Re: Hello", Text: text + quotedHello, Reply: true, Paper: PaperHello})
		if r.Kind != want || r.Greeted != nil {
			t.Errorf("%q: read as %+v", text, r)
		}
	}
}

// A banner and a foot that the hello has shown are nobody's words: what stands
// between them is read as if they were not there, however they are broken.
func TestBare(t *testing.T) {
	edges := []string{"EXTERNAL MAIL: think before you click.", "this mail is confidential if it is not for you delete it"}
	text := "EXTERNAL MAIL:\nthink before you click.\n\napprove\n\nThis mail is confidential. If it is not\nfor you, delete it.\n"
	if got := strings.TrimSpace(Bare(text, edges)); got != "approve" {
		t.Errorf("left: %q", got)
	}
	for _, whole := range []string{"", "approve", "External mail", "external mail think before you click links\n\napprove", "approve\nexternal mail think before you click\nnot yet"} {
		if got := Bare(whole, edges); got != whole {
			t.Errorf("%q became %q", whole, got)
		}
	}
	r := Read(Mail{Text: text, Reply: true, Paper: PaperProof, Current: true, Edges: edges})
	if r.Kind != KindCommands || len(r.Commands) != 1 || r.Commands[0].Word != WordApprove {
		t.Errorf("an approval between the two is read as %+v", r)
	}
}
