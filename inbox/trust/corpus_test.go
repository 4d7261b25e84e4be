package trust

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"galley/compose/corpora"

	"github.com/emersion/go-msgauth/dkim"
)

// zone answers text questions from a map of name to record.
func zone(records map[string]string) DNS {
	return func(_ context.Context, name string) ([]string, error) {
		if r, ok := records[strings.ToLower(name)]; ok {
			return []string{r}, nil
		}
		return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
}

func keysOf(t *testing.T, file string) map[string]string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		return map[string]string{}
	}
	var m map[string]string
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	low := map[string]string{}
	for k, v := range m {
		low[strings.ToLower(k)] = v
	}
	return low
}

func ownDate(raw []byte) time.Time {
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return time.Unix(1700000000, 0)
	}
	d, err := m.Header.Date()
	if err != nil {
		return time.Unix(1700000000, 0)
	}
	return d
}

func lines(t *testing.T, file string, each func([]byte)) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		return
	}
	defer f.Close()
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		if len(bytes.TrimSpace(sc.Bytes())) > 0 {
			each(sc.Bytes())
		}
	}
}

type oracleLine struct {
	Case, File string
	Results    []struct{ D, S, Result, Comment string }
}

// differ lists, with the reason, where we mean to differ from the oracle.
var differ = map[string]string{
	"dkim/added_header-subject.eml":                                            "Subject is signed once and stands there twice: the origin's own test refuses it",
	"dkim/flags_s-auid_is_subdomain_of_sdid.eml":                               "key with t=s and i= below d=: the origin's own test refuses it",
	"rfc6376-A.2-ill_formed-missing_v.eml":                                     "without v= it is no signature that could be checked: neutral, not fail",
	"original/Fastmail_from_Fastmail_-_Welcome_Get_set_up_in_3_steps..eml fm3": "the oracle judged x= at the day it ran; at the mail's own Date the signature stands",
	"rfc8463-A.3-key_algo_mismatch.eml":                                        "a key of another algorithm cannot be tried: neutral, not fail",
}

// TestCorpusDKIM compares the result of each signature with an independent
// program's and with the traps that the origins set.
func TestCorpusDKIM(t *testing.T) {
	root := corpora.Dir(t)
	agree, total := 0, 0
	for _, c := range []string{"auth-dkimverifier", "auth-gomsgauth", "auth-mailauth", "auth-mimekit"} {
		keys := keysOf(t, filepath.Join(root, c, "keys.json"))
		traps := trapsOf(t, filepath.Join(root, c, "tests.jsonl"))
		lines(t, filepath.Join(root, c, "dkim-oracle.jsonl"), func(b []byte) {
			var o oracleLine
			if err := json.Unmarshal(b, &o); err != nil {
				t.Fatal(err)
			}
			raw, err := os.ReadFile(filepath.Join(root, c, o.File))
			if err != nil {
				t.Fatal(err)
			}
			got := DKIM(context.Background(), raw, Policy{DNS: zone(keys), Now: ownDate(raw)})
			a, n := compare(t, o, got, traps[o.Case])
			agree, total = agree+a, total+n
		})
	}
	if total == 0 {
		t.Fatal("no signature compared")
	}
	t.Logf("DKIM: %d of %d signatures as the oracle says (%.1f %%)", agree, total, 100*float64(agree)/float64(total))
	if agree*100 < total*97 {
		t.Errorf("under 97 %%")
	}
}

// trapsOf reads which messages the origin's tests refuse.
func trapsOf(t *testing.T, file string) map[string]bool {
	traps := map[string]bool{}
	lines(t, file, func(b []byte) {
		if strings.Contains(string(b), "PERMFAIL") && !strings.Contains(string(b), "SUCCESS") {
			var c struct{ Case string }
			// The cases of arh/ are about the server's field and not the signature.
			if json.Unmarshal(b, &c) == nil && !strings.HasPrefix(c.Case, "arh/") {
				traps[c.Case] = true
			}
		}
	})
	return traps
}

func compare(t *testing.T, o oracleLine, got []Result, trap bool) (agree, total int) {
	t.Helper()
	want := o.Results
	if len(want) == 1 && want[0].Result == "none" {
		want = nil
	}
	if len(got) != len(want) {
		t.Errorf("%s: %d signatures, oracle %d", o.Case, len(got), len(want))
		return 0, len(want)
	}
	for i, w := range want {
		total++
		g := got[i]
		reason, explained := differ[o.Case]
		if !explained {
			reason, explained = differ[o.Case+" "+w.S]
		}
		switch {
		case g.Result == "pass" && trap:
			t.Errorf("%s %s: pass, and the origin refuses it", o.Case, w.S)
		case g.Result == "pass" && w.Result != "pass" && !explained:
			t.Errorf("%s %s: pass, and the oracle says %s (%s)", o.Case, w.S, w.Result, w.Comment)
		case g.Result == w.Result:
			agree++
		case explained:
			agree++
			t.Logf("%s %s: %s (%s), oracle %s: %s", o.Case, w.S, g.Result, g.Reason, w.Result, reason)
		default:
			t.Logf("%s %s: %s (%s), oracle %s (%s)", o.Case, w.S, g.Result, g.Reason, w.Result, w.Comment)
		}
	}
	return agree, total
}

// TestCorpusAgainstLibrary compares with go-msgauth wherever it verifies by
// the same clock: it must never be stricter than the RFC demands where we
// pass, and where we refuse what it passes one of our gates must say so.
func TestCorpusAgainstLibrary(t *testing.T) {
	root := corpora.Dir(t)
	all := map[string]string{}
	for _, f := range []string{"auth-dkimverifier/keys.json", "auth-gomsgauth/keys.json", "auth-mimekit/keys.json", "auth-arc/keys-1.json", "auth-arc/keys-2.json", "auth-arc/keys-3.json"} {
		for k, v := range keysOf(t, filepath.Join(root, f)) {
			all[k] = v
		}
	}
	files, _ := filepath.Glob(filepath.Join(root, "auth-*", "files", "*"))
	more, _ := filepath.Glob(filepath.Join(root, "auth-*", "files", "*", "*"))
	same, total := 0, 0
	for _, file := range append(files, more...) {
		raw, err := os.ReadFile(file)
		if err != nil || strings.HasSuffix(file, ".yml") {
			continue
		}
		keys := all
		if strings.Contains(file, "auth-stalwart") {
			keys, raw = stalwart(raw)
		}
		a, n := againstLibrary(t, file, crlf(raw), keys)
		same, total = same+a, total+n
	}
	t.Logf("go-msgauth: the same on %d of %d signatures", same, total)
	if total == 0 {
		t.Error("no signature compared")
	}
}

func againstLibrary(t *testing.T, file string, raw []byte, keys map[string]string) (same, total int) {
	got := DKIM(context.Background(), raw, Policy{DNS: zone(keys), Now: time.Now()})
	theirs, err := dkim.VerifyWithOptions(bytes.NewReader(raw), &dkim.VerifyOptions{MaxVerifications: maxSignatures, LookupTXT: func(name string) ([]string, error) { return zone(keys)(context.Background(), name) }})
	if err != nil || len(theirs) != len(got) {
		return 0, 0
	}
	for i, v := range theirs {
		total++
		switch g := got[i]; {
		case (v.Err == nil) == (g.Result == "pass"):
			same++
		case g.Result == "pass":
			t.Logf("%s: we pass %s, go-msgauth says %v", filepath.Base(file), g.Domain, v.Err)
		case g.Result != "policy" && !strings.Contains(g.Reason, "key demands"):
			t.Errorf("%s: go-msgauth passes %s, we say %s (%s)", file, g.Domain, g.Result, g.Reason)
		default:
			t.Logf("%s: go-msgauth passes %s, our gate: %s", filepath.Base(file), g.Domain, g.Reason)
		}
	}
	return same, total
}

// stalwart splits "name TXT" lines from the message behind them.
func stalwart(raw []byte) (map[string]string, []byte) {
	keys := map[string]string{}
	rest := bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n"))
	for {
		line, after, ok := bytes.Cut(rest, []byte("\n"))
		name, record, found := strings.Cut(string(line), " ")
		if !ok || !found || strings.Contains(name, ":") {
			break
		}
		keys[strings.ToLower(strings.TrimSuffix(name, "."))] = record
		rest = after
	}
	return keys, bytes.TrimLeft(bytes.TrimPrefix(rest, []byte("-")), "-\n")
}

// TestCorpusStalwart verifies the signed messages whose keys stand in the
// same file.
func TestCorpusStalwart(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(corpora.Dir(t), "auth-stalwart", "files", "dkim", "*"))
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		keys, msg := stalwart(raw)
		for _, r := range DKIM(context.Background(), msg, Policy{DNS: zone(keys), Now: ownDate(msg)}) {
			t.Logf("%s: %s %s: %s %s", filepath.Base(file), r.Domain, r.Selector, r.Result, r.Reason)
		}
	}
}

// TestCorpusAuthResults reads every Authentication-Results field there is.
// What the origin's parser reads is read the same; what breaks the grammar is
// counted and shown.
func TestCorpusAuthResults(t *testing.T) {
	root := corpora.Dir(t)
	good, bad := 0, map[string]int{}
	err := filepath.Walk(root, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() || !strings.Contains(path, "/files/") {
			return nil
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return nil
		}
		h := readHeader(crlf(raw))
		for _, f := range h.all("Authentication-Results") {
			if _, _, err := ParseAuthResults(f.value()); err != nil {
				bad[fmt.Sprintf("%v: %.160s", err, f.value())]++
				continue
			}
			good++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for why, k := range bad {
		n += k
		t.Logf("%d x %s", k, why)
	}
	t.Logf("Authentication-Results: %d fields by the grammar, %d not", good, n)
	if good == 0 {
		t.Error("no field read")
	}
}

// TestCorpusAuthResultsTable compares with the table of go-msgauth's tests.
func TestCorpusAuthResultsTable(t *testing.T) {
	lines(t, filepath.Join(corpora.Dir(t), "auth-gomsgauth", "authres.jsonl"), func(b []byte) {
		var c struct {
			Case, Value, Identifier string
			Results                 []map[string]string
		}
		if err := json.Unmarshal(b, &c); err != nil {
			t.Fatal(err)
		}
		id, results, err := ParseAuthResults(c.Value)
		if c.Identifier == "" {
			if err == nil {
				t.Errorf("%s: an empty field has no id", c.Case)
			}
			return
		}
		if err != nil || id != c.Identifier || len(results) != len(c.Results) {
			t.Fatalf("%s: %q %v %v, want %q and %d results", c.Case, id, results, err, c.Identifier, len(c.Results))
		}
		for i, r := range c.Results {
			if results[i].Result != r["value"] {
				t.Errorf("%s: %s, want %s", c.Case, results[i].Result, r["value"])
			}
		}
	})
}

// TestCorpusCanonicalization: canonical fields, an empty line, canonical body.
func TestCorpusCanonicalization(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(corpora.Dir(t), "auth-flanker-canon", "files", "email.*"))
	n := 0
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		h := readHeader(crlf(raw))
		for kind, relaxed := range map[string]bool{"simple": false, "relaxed": true} {
			want, err := os.ReadFile(strings.Replace(file, "email.", kind+".expected.", 1))
			if err != nil {
				t.Fatal(err)
			}
			var got []byte
			for _, f := range h.fields {
				got = append(got, canonField(f.raw, relaxed)...)
			}
			got = append(append(got, "\r\n"...), canonBody(h.body, relaxed)...)
			// The origin keeps a last line of spaces that has no line end;
			// RFC 6376 section 3.4.4 ends the line first, and then it is empty.
			if relaxed && strings.HasSuffix(file, "email.24") {
				continue
			}
			if n++; !bytes.Equal(got, want) {
				t.Errorf("%s, %s:\n got %q\nwant %q", filepath.Base(file), kind, got, want)
			}
		}
	}
	t.Logf("canonical forms: %d", n)
}
