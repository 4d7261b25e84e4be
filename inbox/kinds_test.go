package inbox

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestKinds inspects mails of our own writing, in the manner of programs that
// the shared corpora have few of: a file a family, each case a line of JSON
// that says what it is, and the mail.
func TestKinds(t *testing.T) {
	files, err := filepath.Glob("testdata/kinds/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases: ", err)
	}
	total := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		family := strings.TrimSuffix(filepath.Base(file), ".txt")
		for _, c := range strings.Split("\n"+string(text), "\n-- ")[1:] {
			name, rest, _ := strings.Cut(c, " --\n")
			want, raw, _ := strings.Cut(rest, "\n")
			total++
			t.Run(family+"/"+name, func(t *testing.T) { inspectsAs(t, want, raw) })
		}
	}
	t.Logf("%d mails", total)
}

// inspectsAs compares what the inbox makes of a mail with what is known of it.
func inspectsAs(t *testing.T, said, raw string) {
	t.Helper()
	var want struct {
		Kind, Recipient, Cls string
		Visible              *string
	}
	if err := json.Unmarshal([]byte(said), &want); err != nil {
		t.Fatal(err)
	}
	got := (&Inspector{}).Mail(t.Context(), []byte(strings.ReplaceAll(raw, "\n", "\r\n")))
	if want.Kind != "" && string(got.Kind) != want.Kind {
		t.Errorf("%s (%s), want %s", got.Kind, got.Reason, want.Kind)
	}
	if want.Visible != nil && strings.TrimSpace(got.Visible) != *want.Visible {
		t.Errorf("the person wrote %q, want %q", got.Visible, *want.Visible)
	}
	if want.Cls == "" {
		return
	}
	if len(got.Bounces) != 1 || got.Bounces[0].Class != want.Cls || want.Recipient != "" && got.Bounces[0].Recipient != want.Recipient {
		t.Errorf("%+v, want %s %s", got.Bounces, want.Recipient, want.Cls)
	}
}
