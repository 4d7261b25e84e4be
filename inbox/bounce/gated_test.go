package bounce

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"galley/compose/corpora"
	"galley/inbox/gated"
	"galley/inbox/mime"
)

// Gated patterns answer as plain ones do, on the words of real mail.
func TestGatedAnswersTheSame(t *testing.T) {
	texts := []string{"Die Zustellung wurde verzögert.", "ещё не доставлено"} // the corpora hold few of these
	for _, corpus := range []string{"bounces-mailman", "bounces-mixed", "replies-talon", "bounces-exim"} {
		err := filepath.WalkDir(filepath.Join(corpora.Dir(t), corpus), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.Contains(path, "/files/") {
				return err
			}
			raw, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			if m, err := mime.Read(raw); err == nil {
				texts = append(texts, m.Subject, m.Text[:min(len(m.Text), 2000)])
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	many := 250
	if raceDetector {
		many = 120
	}
	for name, g := range map[string]*gated.Pattern{"failWords": failWords, "failSubject": failSubject, "daemonName": daemonName, "returnedMark": returnedMark,
		"contactLine": contactLine, "goneAbroad": goneAbroad, "laterAbroad": laterAbroad, "ours": refusals[5].words, "hard": reasons[len(reasons)-2].words, "senderWords": senderWords, "aboutUs": aboutUs} {
		plain, yes := regexp.MustCompile(g.String()), 0
		for _, text := range texts[:min(len(texts), many)] {
			got, want := g.MatchString(text), plain.MatchString(text)
			if got != want {
				t.Errorf("%s: %v, plain %v: %q", name, got, want, text[:min(len(text), 200)])
			}
			if want {
				yes++
			}
		}
		if yes == 0 && name != "returnedMark" {
			t.Errorf("%s never matched: this shows nothing", name)
		}
	}
}
