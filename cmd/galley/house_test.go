package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// floorPlan is the house on paper: every package, and all of ours that it imports. One
// that is missing here, or imports more or less, fails.
var floorPlan = map[string]string{
	"cmd/galley": "compose compose/lint compose/markdown compose/picture compose/probe inbox inbox/inboxtest inbox/intent inbox/mailbox inbox/mime inbox/trust " +
		"send send/door send/list send/message send/relay send/sendtest send/site send/store templates",
	"inbox":                "compose compose/lint compose/markdown inbox/bounce inbox/intent inbox/mailbox inbox/mime inbox/reply inbox/trust send send/door send/list send/store",
	"inbox/bounce":         "inbox/gated inbox/mime",
	"inbox/gated":          "",
	"inbox/inboxtest":      "",
	"inbox/intent":         "inbox/gated",
	"inbox/mailbox":        "",
	"inbox/mime":           "",
	"inbox/reply":          "inbox/gated inbox/mime",
	"inbox/trust":          "",
	"compose":              "compose/inline compose/lint compose/markdown compose/picture compose/probe send send/door send/list send/message send/store templates",
	"compose/corpora":      "",
	"compose/inline":       "",
	"compose/picture":      "",
	"compose/lint":         "compose/markdown compose/probe",
	"compose/markdown":     "",
	"compose/probe":        "",
	"send":                 "send/list send/message send/store",
	"send/door":            "send send/list send/message send/store templates",
	"send/list":            "send/store",
	"send/message":         "",
	"send/relay":           "send",
	"send/sendtest":        "",
	"send/site":            "send send/door send/list send/store templates",
	"send/servertest":      "",
	"send/store":           "",
	"send/store/storetest": "send/servertest send/store",
	"templates":            "",
}

// fence keeps a library in the rooms that it was let into.
var fence = map[string]string{
	"database/sql":                      "send/store send/store/storetest",
	"github.com/jackc/pgx/":             "send/store",
	"modernc.org/sqlite":                "send/store send/store/storetest",
	"github.com/pressly/goose/":         "send/store",
	"github.com/emersion/go-imap/":      "inbox/mailbox inbox/inboxtest",
	"github.com/emersion/go-smtp":       "send/relay send/sendtest",
	"github.com/emersion/go-message":    "inbox/mime inbox/bounce",
	"github.com/emersion/go-msgauth":    "inbox/trust",
	"github.com/ProtonMail/go-crypto/":  "inbox/trust", // OpenPGP signatures of editors; the standard library has none
	"golang.org/x/image/":               "compose/picture",
	"github.com/yuin/goldmark":          "compose/markdown",
	"github.com/vanng822/go-premailer/": "compose/inline",
	"github.com/alecthomas/kong":        "cmd/galley",
	"testing":                           "compose/corpora send/servertest send/store/storetest",
	"testing/":                          "",
	"net/http":                          "cmd/galley compose/probe send/servertest send/site",
}

// owner is the one package that writes a table.
var owner = map[string]string{
	"mailbox": "inbox", "message": "inbox", "octets": "inbox", "arrival": "inbox", "seen": "inbox", "canary": "inbox", "editor": "inbox",
	"draft": "compose", "decision": "compose", "issue": "compose", "audit": "compose", "proof": "compose", "signature": "compose", "slot": "compose", "schedule": "compose", "link": "compose", "suggestion": "compose", "vote": "compose", "letter": "compose", "image": "compose",
	"edition": "send", "enclosure": "send", "delivery": "send", "attempt": "send", "seal": "send", "refusal": "send", "return": "send", "slip": "send", "lease": "send", "home": "send", "trace": "send",
	"starter": "compose", "greeting": "compose", "approval": "compose",
	"subscriber": "send/list", "consent": "send/list", "suppression": "send/list",
	"request": "send/door", "knock": "send/door",
}

var (
	creates = regexp.MustCompile(`(?m)^CREATE TABLE (\w+)`)
	writes  = regexp.MustCompile(`(?i)\b(?:INSERT INTO|UPDATE|DELETE FROM)\s+(\w+)\s+(?:\(|SET\b|WHERE\b|AS\b|\w+\s+SET\b)`)
)

const root = "../.."

// rooms reads the tree: what each package imports of ours and of others, and
// the text of its files.
func rooms(t *testing.T) (ours, foreign map[string][]string, text map[string]string) {
	t.Helper()
	ours, foreign, text = map[string][]string{}, map[string][]string{}, map[string]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && len(d.Name()) > 2) {
			if d != nil && d.IsDir() {
				return fs.SkipDir
			}
			return err
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		room, _ := filepath.Rel(root, filepath.Dir(path))
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		text[room] += string(source)
		file, err := parser.ParseFile(token.NewFileSet(), path, source, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, i := range file.Imports {
			name, _ := strconv.Unquote(i.Path.Value)
			if rest, ok := strings.CutPrefix(name, "galley/"); ok {
				ours[room] = append(ours[room], rest)
			} else {
				foreign[room] = append(foreign[room], name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return ours, foreign, text
}

func TestArrows(t *testing.T) {
	ours, _, text := rooms(t)
	for room := range text {
		arrows, known := floorPlan[room]
		if !known {
			t.Errorf("%s is not on the plan", room)
			continue
		}
		got := slices.Compact(slices.Sorted(slices.Values(ours[room])))
		if want := slices.Sorted(slices.Values(strings.Fields(arrows))); !slices.Equal(got, want) {
			t.Errorf("%s imports %v, the plan says %v", room, got, want)
		}
	}
	for room := range floorPlan {
		if text[room] == "" {
			t.Errorf("%s is on the plan and does not exist", room)
		}
	}
}

func TestFences(t *testing.T) {
	_, foreign, _ := rooms(t)
	for room, imports := range foreign {
		for _, name := range imports {
			for library, allowed := range fence {
				inside := name == library || strings.HasSuffix(library, "/") && strings.HasPrefix(name, library)
				if inside && !slices.Contains(strings.Fields(allowed), room) {
					t.Errorf("%s imports %s, which belongs in %q", room, name, allowed)
				}
			}
		}
	}
}

func TestEveryTableHasOneWriter(t *testing.T) {
	_, _, text := rooms(t)
	schema, err := filepath.Glob(filepath.Join(root, "send/store/migrations/*.sql"))
	if err != nil || len(schema) == 0 {
		t.Fatalf("no migrations found: %v", err)
	}
	for _, file := range schema {
		sql, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, hit := range creates.FindAllStringSubmatch(string(sql), -1) {
			if owner[hit[1]] == "" {
				t.Errorf("table %s has no owner on the plan", hit[1])
			}
		}
	}
	for room, source := range text {
		for _, hit := range writes.FindAllStringSubmatch(source, -1) {
			if table := strings.ToLower(hit[1]); owner[table] != room && owner[table] != "" {
				t.Errorf("%s writes table %s, which is %s's", room, table, owner[table])
			}
		}
	}
}

// Every package says what it is for, in a file of its own.
func TestEveryPackageHasADoc(t *testing.T) {
	_, _, text := rooms(t)
	for room := range text {
		_, err := os.Stat(filepath.Join(root, room, "doc.go"))
		if err != nil && room != "send/store/storetest" {
			t.Errorf("%s has no doc.go", room)
		}
	}
}
