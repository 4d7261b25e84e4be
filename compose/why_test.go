package compose

import (
	"testing"
	"time"

	"galley/send"
	"galley/templates"
)

// Every refusal has a sentence of its own, by what the reader can do about it.
func TestWhyNot(t *testing.T) {
	d := &Desk{Newsletters: map[string]*Newsletter{"quiet": {ID: "quiet", Zone: time.UTC, Frame: Frame{Looks: templates.Look("")}}}}
	said := map[string]bool{}
	for want, f := range map[string]send.Failure{
		"nobody":    {State: send.Failed, Class: send.ClassHard, Code: 550, Status: "5.1.1"},
		"full":      {State: send.Failed, Class: send.ClassSoft, Code: 552, Status: "5.2.2"},
		"domain":    {State: send.Expired, Class: send.ClassDomain, Status: "5.4.4"},
		"ours":      {State: send.Deferred, Class: send.ClassOurs, Code: 550, Status: "5.7.26"},
		"big":       {State: send.Deferred, Class: send.ClassOurs, Code: 552, Status: "5.3.4"},
		"letters":   {State: send.Failed, Class: send.ClassOurs, Code: 550, Status: "5.6.7"},
		"grey":      {State: send.Deferred, Class: send.ClassSoft, Code: 451, Status: "4.7.1"},
		"trouble":   {State: send.Deferred, Class: send.ClassSoft, Code: 451, Status: "4.3.0"},
		"expired":   {State: send.Expired, Class: send.ClassSoft, Code: 451, Status: "4.3.0"},
		"unsure":    {State: send.Ambiguous},
		"hand":      {State: send.Held, Class: send.ClassHand, Code: 451},
		"complaint": {State: send.Failed, Class: send.ClassComplaint},
	} {
		if got := whyNot(f); got != want {
			t.Errorf("%+v is %q, want %q", f, got, want)
		}
		sentence, err := d.Refused("quiet", f)
		if err != nil || sentence == "" || said[sentence] || len(sentence) > 69 {
			t.Errorf("%s: %q, %v", want, sentence, err)
		}
		said[sentence] = true
	}
}

func TestRoughly(t *testing.T) {
	n := &Newsletter{Frame: Frame{Looks: templates.Look("")}}
	for d, want := range map[time.Duration]string{0: "1 second", 89 * time.Second: "89 seconds", 90 * time.Second: "2 minutes",
		89 * time.Minute: "89 minutes", 3 * time.Hour: "3 hours"} {
		if got := n.roughly(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
	if n.speed(0.5) != "0.5" || n.speed(9.96) != "10" || n.speed(2345.6) != "2,346" {
		t.Error(n.speed(0.5), n.speed(9.96), n.speed(2345.6))
	}
}
