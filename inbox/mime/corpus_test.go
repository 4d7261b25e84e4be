package mime

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"galley/compose/corpora"
)

// table reads a JSON-lines table into values of one type.
func rows[T any](t *testing.T, file string) []T {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all []T
	s := bufio.NewScanner(bytes.NewReader(b))
	s.Buffer(nil, 64<<20)
	for s.Scan() {
		var v T
		if err := json.Unmarshal(s.Bytes(), &v); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all = append(all, v)
	}
	return all
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(corpora.Dir(t), pattern))
	if err != nil || len(all) == 0 {
		t.Fatalf("nothing at %s: %v", pattern, err)
	}
	return all
}

// score counts what agrees and fails below a floor in per mille.
type score struct{ good, all int }

func (s *score) add(ok bool) bool {
	s.all++
	if ok {
		s.good++
	}
	return ok
}

func (s *score) check(t *testing.T, what string, floor int) {
	t.Helper()
	t.Logf("%s: %d of %d", what, s.good, s.all)
	if s.all == 0 || s.good*1000 < floor*s.all {
		t.Errorf("%s: %d of %d is below %d.%d %%", what, s.good, s.all, floor/10, floor%10)
	}
}

// TestReadable reads every message of the corpora: none may crash or hang, and
// at most 0.5 % may be refused.
func TestReadable(t *testing.T) {
	var read score
	for _, kind := range []string{"mime-*", "bounces-*", "threads-*", "clients-*", "html-*", "drafts-*"} {
		for _, dir := range glob(t, kind+"/files") {
			var s score
			walkFiles(t, dir, func(file string, raw []byte) {
				start := time.Now()
				m, err := Read(raw)
				if d := time.Since(start); d > 5*time.Second {
					t.Errorf("%s took %v", file, d)
				}
				if err == nil {
					DraftText(m)
					HTMLText(m.HTML)
				} else if !isMail(file) {
					return
				} else {
					t.Logf("refused: %s: %v", file, err)
				}
				s.add(err == nil)
				read.add(err == nil)
			})
			t.Logf("%s: %d of %d read", filepath.Base(filepath.Dir(dir)), s.good, s.all)
		}
	}
	read.check(t, "messages read", 995)
}

// isMail leaves out the tables, decoded parts and pages beside the messages.
func isMail(file string) bool {
	switch filepath.Ext(file) {
	case ".xml", ".bin", ".json", ".html", ".tokens", ".out", ".txt", ".tnef", ".dat", ".md":
		return false
	}
	return true
}

func walkFiles(t *testing.T, dir string, f func(file string, raw []byte)) {
	err := filepath.WalkDir(dir, func(file string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(file)
		if err == nil {
			f(file, raw)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

type consensus struct {
	Case  string
	File  string
	Agree map[string]json.RawMessage
}

// TestConsensus compares with what two independent programs both read.
func TestConsensus(t *testing.T) {
	names := []string{"subject", "from", "date", "message_id", "in_reply_to", "to", "text_sha256"}
	total := map[string]*score{}
	for _, n := range names {
		total[n] = &score{}
	}
	for _, file := range glob(t, "*/consensus.jsonl") {
		dir := filepath.Dir(file)
		if strings.HasPrefix(filepath.Base(dir), "auth-") {
			continue
		}
		for _, c := range rows[consensus](t, file) {
			raw, err := os.ReadFile(filepath.Join(dir, c.File))
			if err != nil {
				t.Fatal(err)
			}
			m, err := Read(raw)
			if err != nil {
				m = &Message{}
			}
			for _, n := range names {
				want, ok := c.Agree[n]
				if !ok {
					continue
				}
				got := field(m, n)
				if lossy(m, n, normal(n, want)) {
					continue
				}
				same := got == normal(n, want)
				total[n].add(same)
				if !same {
					t.Logf("%s/%s %s: got %.300q want %.300q", filepath.Base(dir), c.Case, n, got, normal(n, want))
				}
			}
		}
	}
	for _, n := range names {
		floor := 980
		if n == "text_sha256" {
			floor = 950
		}
		total[n].check(t, n, floor)
	}
}

// lossy tells whether both oracles lost letters (U+FFFD) that are read here by
// the fall-back to windows-1252, or found no text where there is some.
func lossy(m *Message, name, want string) bool {
	if name != "text_sha256" {
		return strings.Contains(want, "\uFFFD")
	}
	if want == "" {
		return true
	}
	for i := range m.Parts {
		p := &m.Parts[i]
		if !strings.HasPrefix(p.Type, "text/") || utf8.Valid(p.Data) {
			continue
		}
		var b strings.Builder
		for _, r := range string(p.Data) {
			b.WriteRune(r)
		}
		sum := sha256.Sum256([]byte(fold(b.String())))
		if hex.EncodeToString(sum[:]) == want {
			return true
		}
	}
	return false
}

func fold(s string) string { return strings.Join(strings.Fields(s), " ") }

// field gives m's value in the form of the table.
func field(m *Message, name string) string {
	switch name {
	case "subject":
		return fold(m.Subject)
	case "from":
		return addressText(m.From)
	case "to":
		return addressText(m.To)
	case "date":
		if m.Date.IsZero() {
			return ""
		}
		return m.Date.UTC().Format(time.RFC3339)
	case "message_id":
		return strings.Trim(m.MessageID, "<>")
	case "in_reply_to":
		return strings.Trim(m.InReplyTo, "<>")
	}
	sum := sha256.Sum256([]byte(fold(m.Text)))
	return hex.EncodeToString(sum[:])
}

func addressText(all []Address) string {
	var b strings.Builder
	for _, a := range all {
		b.WriteString(fold(a.Name) + "|" + strings.ToLower(a.Addr) + "\n")
	}
	return b.String()
}

// normal brings the table's value into the same form.
func normal(name string, raw json.RawMessage) string {
	var list [][]string
	if json.Unmarshal(raw, &list) == nil && list != nil {
		var all []Address
		for _, a := range list {
			all = append(all, Address{a[0], a[1]})
		}
		return addressText(all)
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	switch name {
	case "date":
		if d, err := time.Parse(time.RFC3339, s); err == nil {
			return d.UTC().Format(time.RFC3339)
		}
	case "message_id", "in_reply_to":
		return strings.Trim(s, "<>")
	}
	return fold(s)
}
