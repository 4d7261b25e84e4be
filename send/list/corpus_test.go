package list

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"galley/compose/corpora"
)

// written is an entry of the foreign lists: an address, and whether it is one.
type written struct {
	Case, List, Value string
	Valid             bool
}

func writtenAddresses(t *testing.T) (all []written) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(corpora.Dir(t, "addresses-flanker"), "addresses.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for s := bufio.NewScanner(bytes.NewReader(text)); s.Scan(); {
		var e written
		if err := json.Unmarshal(s.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

// decided tells what ParseAddress decides otherwise on purpose: quoted local
// parts and domains of one label are addresses to RFC 5322, and not such as a
// newsletter is mailed to; a dot that ends a domain is dropped, as a pasted one
// is.
func decided(address string) string {
	_, domain, _ := strings.Cut(address, "@")
	switch {
	case strings.ContainsAny(address, "\"\\"):
		return "quoted"
	case !strings.Contains(domain, "."):
		return "one label"
	case strings.HasSuffix(domain, "."):
		return "last dot"
	}
	return ""
}

// TestForeignAddresses measures against the lists of another project.
func TestForeignAddresses(t *testing.T) {
	good, all, otherwise := 0, 0, map[string]int{}
	for _, e := range writtenAddresses(t) {
		address := e.Value
		switch kind, _, _ := strings.Cut(e.List, "_"); kind {
		case "mailbox":
		case "abridged":
			address += "@example.org" // the list has local parts alone
		default:
			continue // typing mistakes and web addresses
		}
		if why := decided(address); why != "" {
			otherwise[why]++
			continue
		}
		all++
		if _, err := ParseAddress(address); (err == nil) == e.Valid {
			good++
		} else {
			t.Logf("%s %q is valid %v: %v", e.Case, e.Value, e.Valid, err)
		}
	}
	t.Logf("%d of %d agree; decided otherwise: %v", good, all, otherwise)
	if all < 50 || good*100 < 95*all {
		t.Errorf("%d of %d is below 95 %%", good, all)
	}
}
