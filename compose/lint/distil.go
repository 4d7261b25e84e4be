package lint

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// common are the mail programs that count, most readers first: those that the
// market figures of 2026 put above one reader in a hundred, and the one for
// people who write newsletters about programming.
var common = []struct{ family, platform, name string }{
	{"apple-mail", "ios", "Apple Mail (iOS)"}, {"apple-mail", "macos", "Apple Mail (macOS)"},
	{"gmail", "desktop-webmail", "Gmail (web)"}, {"gmail", "ios", "Gmail (iOS)"}, {"gmail", "android", "Gmail (Android)"},
	{"outlook", "windows", "Outlook (Windows)"}, {"outlook", "macos", "Outlook (macOS)"}, {"outlook", "outlook-com", "Outlook.com"},
	{"outlook", "ios", "Outlook (iOS)"}, {"outlook", "android", "Outlook (Android)"},
	{"yahoo", "desktop-webmail", "Yahoo! Mail (web)"}, {"yahoo", "ios", "Yahoo! Mail (iOS)"}, {"yahoo", "android", "Yahoo! Mail (Android)"},
	{"samsung-email", "android", "Samsung Email"}, {"thunderbird", "macos", "Thunderbird"},
}

// caniemail is the part of Can I email's data that we read.
type caniemail struct {
	Data []struct {
		Slug  string                                  `json:"slug"`
		Title string                                  `json:"title"`
		Stats map[string]map[string]map[string]string `json:"stats"` // family, platform, version
	} `json:"data"`
}

// Distil makes the built-in table of features of the data that Can I email
// publishes (api/data.json). It fails when that is something else.
func Distil(data io.Reader) ([]byte, error) {
	var in caniemail
	if err := json.NewDecoder(data).Decode(&in); err != nil {
		return nil, fmt.Errorf("the data of Can I email: %w", err)
	}
	if len(in.Data) < 100 {
		return nil, fmt.Errorf("the data of Can I email: %d features, there should be hundreds", len(in.Data))
	}
	var b bytes.Buffer
	b.WriteString("# From Can I email (https://www.caniemail.com), (c) 2019 Rémi Parmentier, MIT: features.LICENCE. Newest verdicts; written by galley support.\n")
	names := make([]string, len(common))
	for i, c := range common {
		names[i] = c.name
	}
	fmt.Fprintf(&b, "feature\ttitle\t%s\n", strings.Join(names, ","))
	for _, f := range in.Data {
		if strings.HasPrefix(f.Slug, "_") || strings.ContainsAny(f.Slug+f.Title, "\t\n") {
			continue
		}
		fmt.Fprintf(&b, "%s\t%s\t", f.Slug, f.Title)
		for _, c := range common {
			b.WriteByte(newest(f.Stats[c.family][c.platform]))
		}
		b.WriteByte('\n')
	}
	return b.Bytes(), nil
}

// newest is the verdict on the highest version, without its notes.
func newest(versions map[string]string) byte {
	best := ""
	for v := range versions {
		if best == "" || slices.Compare(numbers(v), numbers(best)) > 0 {
			best = v
		}
	}
	if verdict := versions[best]; verdict != "" && strings.Contains("yan", verdict[:1]) {
		return verdict[0]
	}
	return '.'
}

func numbers(version string) []int {
	var all []int
	for part := range strings.FieldsFuncSeq(version, func(r rune) bool { return r < '0' || r > '9' }) {
		n, err := strconv.Atoi(part)
		if err != nil {
			n = 0
		}
		all = append(all, n)
	}
	return all
}
