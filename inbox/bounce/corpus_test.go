package bounce

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"galley/compose/corpora"
	"galley/inbox/mime"
)

func readFile(t *testing.T, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func readResult(t *testing.T, file string) Result {
	t.Helper()
	m, err := mime.Read(readFile(t, file))
	if err != nil {
		return Result{}
	}
	return Read(m)
}

// expectation is one line of an expected.jsonl.
type expectation struct {
	Case, File, Kind string
	Addresses        []string
	Failed           []string
	Temporary        bool
	Warning          bool
	Messages         int
	IsBounce         *bool  `json:"is_bounce"`
	StdReason        string `json:"std_reason"`
	Bounced          *bool
	Type             string
}

func expectations(t *testing.T, corpus string) []expectation {
	t.Helper()
	var all []expectation
	s := bufio.NewScanner(bytes.NewReader(readFile(t, filepath.Join(corpora.Dir(t), corpus, "expected.jsonl"))))
	s.Buffer(nil, 16<<20)
	for s.Scan() {
		var e expectation
		if err := json.Unmarshal(s.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

// score counts what agrees.
type score struct{ good, all int }

func (s *score) add(ok bool) bool {
	s.all++
	if ok {
		s.good++
	}
	return ok
}

func (s *score) check(t *testing.T, what string, percent int) {
	t.Helper()
	t.Logf("%s: %d of %d", what, s.good, s.all)
	if s.all == 0 || s.good*100 < percent*s.all {
		t.Errorf("%s: %d of %d is below %d %%", what, s.good, s.all, percent)
	}
}

func named(r Result, address string) *Report {
	for i := range r.Reports {
		p := &r.Reports[i]
		if strings.EqualFold(p.Recipient, address) || strings.EqualFold(p.Final, address) {
			return p
		}
	}
	return nil
}

func permanent(class string) bool { return class == Hard || class == Domain }

// TestMailman: the addresses that GNU Mailman's tests expect.
func TestMailman(t *testing.T) {
	var who, temporary score
	want := map[string]map[string]bool{}
	warn := map[string]bool{}
	files := map[string]string{}
	for _, e := range expectations(t, "bounces-mailman") {
		if want[e.Case] == nil {
			want[e.Case] = map[string]bool{}
		}
		files[e.Case] = e.File
		warn[e.Case] = warn[e.Case] || e.Temporary
		for _, a := range e.Addresses {
			want[e.Case][strings.ToLower(a)] = true
		}
	}
	left := misses{}
	for name, addresses := range want {
		r := readResult(t, filepath.Join(corpora.Dir(t), "bounces-mailman", files[name]))
		if len(addresses) == 0 {
			continue
		}
		for a := range addresses {
			p := named(r, a)
			if !who.add(p != nil) {
				left.note(t, name, "no %s in %q %+v", a, r.Kind, r.Reports)
				continue
			}
			if warn[name] && !temporary.add(!permanent(p.Class)) {
				t.Logf("%s: a warning is %s", name, p.Class)
			}
		}
	}
	left.all(t)
	who.check(t, "mailman recipients", 98)
	temporary.check(t, "mailman warnings", 100)
}

// accepts maps the origin's reasons to what our classes may be. "hard" and
// "domain" count as permanent. Sisimai calls "filtered" and "suspend" what a
// server says about a reader who is unknown or switched off to it.
func accepts(reason, hard string) (permanentOK, otherOK bool) {
	switch reason {
	case "userunknown", "hostunknown", "hasmoved":
		return true, false
	case "notaccept", "suspend", "filtered":
		return true, hard != "true"
	}
	return hard == "true", hard != "true"
}

// TestSisimai compares with Sisimai's own tables.
func TestSisimai(t *testing.T) {
	dir := filepath.Join(corpora.Dir(t), "bounces-sisimai")
	var who, lasting, quiet score
	left := misses{}
	lines := strings.Split(strings.TrimSpace(string(readFile(t, filepath.Join(dir, "expected.tsv")))), "\n")
	head := map[string]int{}
	for i, name := range strings.Split(lines[0], "\t") {
		head[name] = i
	}
	for _, line := range lines[1:] {
		cells := strings.Split(line, "\t")
		get := func(name string) string { return cells[head[name]] }
		r := readResult(t, filepath.Join(dir, get("file")))
		reason := get("reason")
		if reason == "vacation" || reason == "delivered" || strings.HasPrefix(reason, "(") {
			if !quiet.add(!suppresses(r)) {
				t.Logf("%s is %s: %+v", get("case"), reason, r.Reports)
			}
			continue
		}
		var p *Report
		if a := get("recipient"); a != "" && get("confirmed") == "yes" && strings.Contains(a, "@") {
			p = named(r, a)
			if p == nil && get("alias") != "" {
				p = named(r, get("alias"))
			}
			if !who.add(p != nil) {
				left.note(t, get("case"), "no %s (%s) in %q %+v", a, get("alias"), r.Kind, r.Reports)
			}
		}
		if p == nil && len(r.Reports) > 0 {
			p = &r.Reports[0]
		}
		if p == nil {
			lasting.add(false)
			continue
		}
		permOK, otherOK := accepts(reason, get("hard"))
		if !lasting.add(permanent(p.Class) && permOK || !permanent(p.Class) && otherOK) {
			left.note(t, get("case"), "%s hard=%s status=%s; ours %s %s %q", reason, get("hard"), get("status"), p.Class, p.Status, p.Reason)
		}
	}
	for name := range causes {
		if strings.HasPrefix(name, "bsd/") {
			left.all(t, name)
		}
	}
	who.check(t, "sisimai recipients", 97)
	lasting.check(t, "sisimai permanence", 95)
	quiet.check(t, "sisimai non-bounces", 100)
}

// suppresses tells whether any recipient would be taken off a list.
func suppresses(r Result) bool {
	for _, p := range r.Reports {
		if permanent(p.Class) || p.Class == Complaint {
			return true
		}
	}
	return false
}

// TestPerl: what is a bounce, and why.
func TestPerl(t *testing.T) {
	var kind, reason score
	left := misses{}
	for _, e := range expectations(t, "bounces-perl") {
		r := readResult(t, filepath.Join(corpora.Dir(t), "bounces-perl", e.File))
		if e.IsBounce != nil {
			ok := (r.Kind == KindBounce) == *e.IsBounce || !*e.IsBounce && !suppresses(r)
			if !kind.add(ok) {
				left.note(t, e.Case, "bounce %v, ours %q %+v", *e.IsBounce, r.Kind, r.Reports)
			}
		}
		want, ok := map[string]bool{"user_unknown": true, "domain_error": true, "over_quota": false, "spam": false, "message_too_large": false}[e.StdReason]
		if ok && len(r.Reports) > 0 && !reason.add(permanent(r.Reports[0].Class) == want) {
			left.note(t, e.Case, "%s, ours %s %s %q", e.StdReason, r.Reports[0].Class, r.Reports[0].Status, r.Reports[0].Reason)
		}
	}
	left.all(t)
	kind.check(t, "perl bounces", 95)
	reason.check(t, "perl reasons", 90)
}

// TestMixed: complaints, receipts and aggregate reports are told apart.
func TestMixed(t *testing.T) {
	var s score
	for _, e := range expectations(t, "bounces-mixed") {
		if e.File == "" {
			e.File = filepath.Join("files", e.Case)
		}
		r := readResult(t, filepath.Join(corpora.Dir(t), "bounces-mixed", e.File))
		want := map[string]string{"arf": KindComplaint, "dmarc-report": KindReport, "tls-report": KindReport, "mdn": KindReport, "bounce": KindBounce, "delayed": KindBounce}[e.Kind]
		// A report of an authentication failure is ARF in form and no complaint.
		ok := (r.Kind == want || e.Kind == "arf" && r.Kind == KindReport) && (e.Kind != "delayed" || !suppresses(r))
		if !s.add(ok) {
			t.Logf("%s: want %s, ours %q %+v", e.Case, e.Kind, r.Kind, r.Reports)
		}
	}
	s.check(t, "mixed kinds", 95)
}

// TestRuby: bounced or not, hard or soft.
func TestRuby(t *testing.T) {
	var s score
	for _, e := range expectations(t, "bounces-ruby") {
		r := readResult(t, filepath.Join(corpora.Dir(t), "bounces-ruby", e.File))
		ok := e.Bounced == nil || (r.Kind == KindBounce) == *e.Bounced
		if ok && e.Type != "" && len(r.Reports) > 0 {
			ok = permanent(r.Reports[0].Class) == (e.Type == "hard")
		}
		if !s.add(ok) {
			t.Logf("%s: want %v %s, ours %q %+v", e.Case, e.Bounced, e.Type, r.Kind, r.Reports)
		}
	}
	s.check(t, "ruby bounces", 95)
}

// TestExim: X-Failed-Recipients, in files of one message.
func TestExim(t *testing.T) {
	var s score
	for _, e := range expectations(t, "bounces-exim") {
		if e.Messages != 1 {
			continue
		}
		r := readResult(t, filepath.Join(corpora.Dir(t), "bounces-exim", e.File))
		for _, a := range e.Failed {
			if !s.add(named(r, a) != nil) {
				t.Logf("%s: no %s in %q %+v", e.Case, a, r.Kind, r.Reports)
			}
		}
		if e.Warning && !s.add(!suppresses(r)) {
			t.Logf("%s: a warning suppresses", e.Case)
		}
	}
	s.check(t, "exim recipients", 95)
}
