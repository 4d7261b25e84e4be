package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"galley/compose/corpora"
)

// What the report tells the editor, issue show and queue tell the operator.
func TestFiguresAgree(t *testing.T) {
	dir := t.TempDir()
	code, story, errs := command(t, "demo", "--dir", dir, "--readers", "60")
	if code != exitOK {
		t.Fatalf("the demo ended with %d\n%s%s", code, story, errs)
	}
	config := filepath.Join(dir, "galley.toml")
	var issues []standing
	answer(t, &issues, "--config", config, "issue", "show", "12", "--json")
	if len(issues) != 1 || issues[0].State != "sent" || issues[0].Readers != 60 {
		t.Fatalf("issue show: %+v", issues)
	}
	sum := 0
	for _, n := range issues[0].Counts {
		sum += n
	}
	c := issues[0].Counts
	if sum != 60 || !strings.Contains(story, fmt.Sprintf("Sent: #12 to %d of 60", c["sent"])) {
		t.Errorf("issue show counts %v, the story says\n%s", c, story)
	}
	var queue queueState
	answer(t, &queue, "--config", config, "queue", "--json")
	left, shape := map[string]int{}, 0
	for _, d := range queue.Destinations {
		shape += d.Total
	}
	for _, w := range queue.Waiting {
		if w.Issue == 12 {
			left[w.State] += w.Count
		}
	}
	if left["deferred"] != c["deferred"] || left["ambiguous"] != c["ambiguous"] || left["deferred"] == 0 {
		t.Errorf("queue: %v, issue show: %v", left, c)
	}
	if len(queue.Destinations) != 1 || queue.Destinations[0].Domain != "readers.example" || shape != left["deferred"]+left["ambiguous"] {
		t.Errorf("queue: the destinations %+v hold %d, %v wait", queue.Destinations, shape, left)
	}
	operatorsHand(t, config, left["deferred"])
	var failed []failureRow
	answer(t, &failed, "--config", config, "queue", "--failed", "12", "--json")
	lost := 0
	for _, f := range failed {
		if f.Why == "" || f.Reply == "" && f.Class != "hand" {
			t.Errorf("nobody says why: %+v", f)
		}
		if f.State == "failed" {
			lost++
		}
	}
	if lost != c["failed"] || lost == 0 {
		t.Errorf("queue --failed lists %d, issue show counts %d", lost, c["failed"])
	}
	// The servers of the demo are gone: check says so, with a remedy each.
	var found []finding
	code, out, _ := command(t, "--config", config, "check", "--json")
	if err := json.Unmarshal([]byte(out), &found); err != nil || code != exitFaults {
		t.Fatalf("check: exit code %d, %v\n%s", code, err, out)
	}
	faults := 0
	for _, f := range found {
		if f.State == stateFault {
			faults++
			if f.Remedy == "" {
				t.Errorf("no remedy: %+v", f)
			}
		}
	}
	if faults < 2 {
		t.Errorf("check found %d faults: %+v", faults, found)
	}
}

// operatorsHand holds one copy, drops another, and hurries the rest; what was
// done to an issue stands in its timeline.
func operatorsHand(t *testing.T, config string, deferred int) {
	t.Helper()
	var done handledRow
	for _, step := range []struct {
		words  string
		copies int
	}{
		{"hold #12 greylist+reader040@readers.example", 1}, {"drop 451+reader060@readers.example", 1},
		{"retry 12", deferred - 1}, {"retry all", deferred - 1}, {"drop #11", 0},
	} {
		done = handledRow{}
		if answer(t, &done, append([]string{"--config", config, "queue", "--json"}, strings.Fields(step.words)...)...); done.Copies != step.copies {
			t.Errorf("%s: %+v, want %d copies", step.words, done, step.copies)
		}
		_, out, _ := command(t, "--config", config, "queue")
		if kept := strings.Contains(out, "1 held       kept back until galley queue retry"); kept != (strings.HasPrefix(step.words, "hold") || strings.HasPrefix(step.words, "drop 451")) || !strings.Contains(out, "nothing leaves until galley serve runs") {
			t.Errorf("after %s the queue is told as\n%s", step.words, out)
		}
	}
	if code, _, errs := command(t, "--config", config, "queue", "retry", "nobody@elsewhere.example"); code != exitFailed || !strings.Contains(errs, "nothing of that waits") {
		t.Errorf("retry of nothing: exit code %d, %s", code, errs)
	}
	for _, words := range []string{"queue --failed 77", "issue show 77"} {
		if code, out, errs := command(t, append([]string{"--config", config}, strings.Fields(words)...)...); code != exitFailed || out != "" || !strings.Contains(errs, "there is no issue #77") {
			t.Errorf("%s: exit code %d, %s%s", words, code, out, errs)
		}
	}
	_, out, _ := command(t, "--config", config, "queue")
	if !strings.Contains(out, "waiting for") || !strings.Contains(out, "ALL") || !strings.Contains(out, "being sent: 54 of 60 taken") {
		t.Errorf("queue prints:\n%s", out)
	}
	var issues []standing
	answer(t, &issues, "--config", config, "issue", "show", "12", "--json")
	var words []string
	for _, h := range issues[0].Timeline {
		words = append(words, h.What)
	}
	want := "draft 1 proof 1 draft 2 proof 2 send run begins begun"
	if got := strings.Join(words, " "); !strings.HasPrefix(got, want) || !strings.HasSuffix(got, "over report") {
		t.Errorf("the timeline is %q", got)
	}
}

// answer runs a command that succeeds and reads its JSON.
func answer(t *testing.T, v any, words ...string) {
	t.Helper()
	code, out, errs := command(t, words...)
	if code != exitOK {
		t.Fatalf("galley %v: exit code %d\n%s%s", words, code, out, errs)
	}
	if err := json.Unmarshal([]byte(out), v); err != nil {
		t.Fatalf("galley %v: %v\n%s", words, err, out)
	}
}

// Past issues come into the archive once; the operator speaks with the desk
// in an editor's words, without a daemon too.
func TestImportAndWordsOfTheOperator(t *testing.T) {
	config := writeConfig(t)
	past := filepath.Join(corpora.Dir(t), "newsletters-rct/files")
	files, err := markdownFiles(past)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []map[string]int{{"taken": len(files), "known": 0}, {"taken": 0, "known": len(files)}} {
		var got struct {
			Taken, Known int
			Faults       map[string]string
		}
		answer(t, &got, "--config", config, "issue", "import", past, "--json")
		if got.Taken != want["taken"] || got.Known != want["known"] || len(got.Faults) != 0 {
			t.Errorf("import: %+v, want %v", got, want)
		}
	}
	code, out, errs := command(t, "--config", config, "issue", "status")
	if code != exitOK || !strings.Contains(out, "No issue is in the making") {
		t.Errorf("status: exit code %d\n%s%s", code, out, errs)
	}
	code, out, errs = command(t, "--config", config, "issue", "hold")
	if code != exitOK || !strings.Contains(out, "Nothing to stop") {
		t.Errorf("hold: exit code %d\n%s%s", code, out, errs)
	}
	if code, _, errs = command(t, "--config", config, "issue", "okay", "then"); code != exitFailed || !strings.Contains(errs, "no word of the desk") {
		t.Errorf("no word: exit code %d\n%s", code, errs)
	}
}
