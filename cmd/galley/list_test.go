package main

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"galley/send/list"
	"galley/send/store"
)

// galley runs a command on a configuration.
func galley(t *testing.T, config, in string, args ...string) (code int, out, errs string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = run(t.Context(), append([]string{"--config", config}, args...), strings.NewReader(in), &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

func TestListCommands(t *testing.T) {
	config := home(t, "small.toml")
	file := filepath.Join(filepath.Dir(config), "people.csv")
	put(t, file, "email,name,date\nbob@example.org,Bob,2024-03-09\nADA@example.org,Ada,2024-03-09\ncy@example.org,Cy,\n", 0o600)
	for _, c := range []struct {
		in   string
		args []string
		code int
		has  string
	}{
		{"", []string{"list", "show"}, 0, "press: 0 on the list, 0 left, 0 suppressed\n"},
		{"", []string{"list", "add", " Ada@Example.org", "--name", "Ada", "--evidence", "told me"}, 0, "Ada@example.org: is on the list\n"},
		{"", []string{"list", "add", "ada@example.org"}, 0, "ada@example.org: was on the list already\n"},
		{"", []string{"list", "add", "ada", "eve@example.org"}, 1, "no @; write name@example.org\neve@example.org: is on the list\n"},
		{"", []string{"list", "add", "a@b.example", "c@d.example", "--name", "X"}, 2, ""},
		{"", []string{"list", "import", file}, 0, "3 records: 2 added, 1 on the list already, 0 had left, 0 suppressed, 0 away by the file's own word, 0 faulty\n"},
		{"", []string{"list", "remove", "BOB@example.org", "nobody@example.org"}, 0, "BOB@example.org: is off the list\nnobody@example.org: was not on the list\n"},
		{"", []string{"list", "import", file}, 0, "0 added, 2 on the list already, 1 had left"},
		{"email\nx\n", []string{"list", "import", "-"}, 1, "standard input:2: "},
		{"", []string{"list", "import", file + "x"}, 2, ""},
		{"", []string{"list", "show", "bob@example.org"}, 0, "left        removed by an operator"},
		{"", []string{"list", "show", "nobody@example.org"}, 1, "nobody@example.org is not on the books\n"},
		{"", []string{"list", "show", "nobody"}, 2, ""},
		{"", []string{"list", "show"}, 0, "press: 3 on the list, 1 left, 0 suppressed\n"},
		{"", []string{"list", "show", "-n", "other"}, 2, ""},
		{"", []string{"list", "export"}, 0, "address,name,status,joined,changed\nAda@example.org,Ada,active,"},
		{"", []string{"list"}, 2, ""}, {"", []string{"list", "shout"}, 2, ""}, {"", []string{"list", "--help"}, 0, "galley list"},
	} {
		code, out, errs := galley(t, config, c.in, c.args...)
		if code != c.code || !strings.Contains(out, c.has) || (code == 2) != (errs != "") {
			t.Errorf("galley %q: exit %d, want %d\n%s%s", c.args, code, c.code, out, errs)
		}
	}
}

func TestListAnswersScripts(t *testing.T) {
	config := home(t, "small.toml")
	var rep list.Report
	_, out, _ := galley(t, config, "email\nada@example.org\nbad\n", "list", "--json", "import", "-")
	if err := json.Unmarshal([]byte(out), &rep); err != nil || rep.Added != 1 || rep.Faults[0].Line != 3 {
		t.Errorf("import: %s, %v", out, err)
	}
	var one struct {
		Address, State string
		Suppressed     bool
		History        []list.Consent
	}
	_, out, _ = galley(t, config, "", "list", "--json", "show", "ADA@example.org")
	if err := json.Unmarshal([]byte(out), &one); err != nil || one.Address != "ada@example.org" || one.State != "active" || len(one.History) != 1 {
		t.Errorf("show: %s, %v", out, err)
	}
	var r result
	_, out, _ = galley(t, config, "", "list", "remove", "ada@example.org", "--json")
	if err := json.Unmarshal([]byte(out), &r); err != nil || r != (result{"ada@example.org", "removed", ""}) {
		t.Errorf("remove: %s, %v", out, err)
	}
	var n list.Counts
	_, out, _ = galley(t, config, "", "list", "--json", "show")
	if err := json.Unmarshal([]byte(out), &n); err != nil || n != (list.Counts{Left: 1}) {
		t.Errorf("show: %s, %v", out, err)
	}
}

// Somebody suppressed stays off until an operator says that they know better.
func TestListAddRespectsSuppressions(t *testing.T) {
	config := home(t, "small.toml")
	galley(t, config, "", "list", "add", "ada@example.org")
	suppress(t, config, "ada@example.org")
	code, out, _ := galley(t, config, "", "list", "add", "ada@example.org")
	if code != 1 || !strings.Contains(out, "bounced") || !strings.Contains(out, "--release") {
		t.Errorf("exit %d: %s", code, out)
	}
	code, out, _ = galley(t, config, "", "list", "add", "--release", "--evidence", "she wrote from it", "ada@example.org")
	if code != 0 {
		t.Errorf("released: exit %d: %s", code, out)
	}
	_, out, _ = galley(t, config, "", "list", "show", "ada@example.org")
	if !strings.Contains(out, "ada@example.org active") || !strings.Contains(out, "released    she wrote from it") {
		t.Errorf("afterwards: %s", out)
	}
}

func TestCommandsRefuseAFaultyConfiguration(t *testing.T) {
	config := home(t, "faults.toml")
	code, out, errs := galley(t, config, "", "list", "show")
	if code != exitFailed || out != "" || strings.Count(errs, "\n") < 30 {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
	code, _, errs = galley(t, config+"x", "", "list", "show")
	if code != exitFailed || !strings.Contains(errs, "does not exist") || !strings.Contains(errs, "--config") {
		t.Errorf("no file: exit %d, %s", code, errs)
	}
}

func TestVersionNeedsNoConfiguration(t *testing.T) {
	code, out, _ := galley(t, "nowhere", "", "version")
	if code != 0 || !strings.HasPrefix(out, "galley ") {
		t.Errorf("exit %d: %s", code, out)
	}
}

// suppress does what a bounce does.
func suppress(t *testing.T, config, address string) {
	t.Helper()
	var c listCmd
	d, err := c.open(&env{ctx: t.Context(), config: config})
	if err != nil {
		t.Fatal(err)
	}
	defer d.db.Close()
	a, err := list.ParseAddress(address)
	if err != nil {
		t.Fatal(err)
	}
	err = d.db.Update(t.Context(), func(tx *store.Tx) error {
		_, err := d.list.Suppress(t.Context(), tx, d.id, a, "bounced: 550 5.1.1")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
