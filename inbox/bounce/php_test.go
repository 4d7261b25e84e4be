package bounce

import (
	"path/filepath"
	"strings"
	"testing"

	"galley/compose/corpora"
)

// TestPHP: each bounce names a recipient that can be mailed, a warning
// suppresses nobody, complaints are such; where the mail has fields of RFC
// 3464 the recipient is theirs. The corpus publishes no expectations of its
// own.
func TestPHP(t *testing.T) {
	var s score
	dir := filepath.Join(corpora.Dir(t), "bounces-php")
	results := map[string]Result{}
	for _, line := range table(t, filepath.Join(dir, "INDEX.tsv")) {
		r := readResult(t, filepath.Join(dir, line["primary"]))
		results[line["case"]] = r
		kind := KindBounce
		if line["stratum"] == "arf-fbl" {
			kind = KindComplaint
		}
		ok := r.Kind == kind && len(r.Reports) > 0 && mailable(r.Reports[0].Recipient)
		for _, p := range r.Reports {
			ok = ok && (p.Action != "delayed" || p.Class == None)
		}
		if !s.add(ok) {
			t.Logf("%s: want %s, ours %q %+v", line["case"], kind, r.Kind, r.Reports)
		}
	}
	for _, line := range table(t, filepath.Join(dir, "dsn-fields.tsv")) {
		want := line["original-recipient"]
		if want == "" {
			want = line["final-recipient"]
		}
		if !s.add(named(results[line["case"]], cleanRecipient(want)) != nil) {
			t.Logf("%s: no %s in %+v", line["case"], want, results[line["case"]].Reports)
		}
	}
	s.check(t, "php bounces", 95)
}

// table reads lines of fields parted by tabs, whose names stand in the first.
func table(t *testing.T, file string) (out []map[string]string) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(string(readFile(t, file))), "\n")
	names := strings.Split(lines[0], "\t")
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, field := range strings.Split(line, "\t") {
			row[names[i]] = field
		}
		out = append(out, row)
	}
	return out
}
