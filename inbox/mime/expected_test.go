package mime

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"galley/compose/corpora"
)

// TestOrigins compares with what the origins' own tests say.
func TestOrigins(t *testing.T) {
	t.Run("enmime", testEnmime)
	t.Run("zbateson", testZbateson)
	t.Run("webklex", testWebklex)
	t.Run("phpparser", testPHPParser)
	t.Run("stalwart", testStalwartHeaders)
}

func readCase(t *testing.T, corpus, file string) *Message {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(corpora.Dir(t), corpus, file))
	if err != nil {
		t.Fatal(err)
	}
	m, err := Read(raw)
	if err != nil {
		t.Logf("%s: %v", file, err)
		return &Message{}
	}
	return m
}

func testEnmime(t *testing.T) {
	type row struct {
		File string
		Text []string `json:"text_contains"`
		HTML []string `json:"html_contains"`
	}
	var s score
	for _, r := range rows[row](t, filepath.Join(corpora.Dir(t), "mime-enmime", "expected.jsonl")) {
		m := readCase(t, "mime-enmime", r.File)
		for _, want := range r.Text {
			if s.add(strings.Contains(m.Text, want)); !strings.Contains(m.Text, want) {
				t.Logf("%s: no %q in %q", r.File, want, m.Text)
			}
		}
		for _, want := range r.HTML {
			if s.add(strings.Contains(m.HTML, want)); !strings.Contains(m.HTML, want) {
				t.Logf("%s: no %q in %q", r.File, want, m.HTML)
			}
		}
	}
	s.check(t, "enmime", 950)
}

func testZbateson(t *testing.T) {
	type person struct{ Name, Email string }
	type row struct {
		Case, File, Subject string
		From, To            person
		Text                any
	}
	var s score
	for _, r := range rows[row](t, filepath.Join(corpora.Dir(t), "mime-zbateson", "expected.jsonl")) {
		m := readCase(t, "mime-zbateson", r.File)
		check := func(what, got, want string) {
			if !s.add(fold(got) == fold(want)) {
				t.Logf("%s %s: got %.200q want %.200q", r.Case, what, got, want)
			}
		}
		check("subject", m.Subject, r.Subject)
		check("from", addressText(m.From), addressText([]Address{{r.From.Name, r.From.Email}}))
		if r.To.Email != "" {
			check("to", addressText(m.To[:min(1, len(m.To))]), addressText([]Address{{r.To.Name, r.To.Email}}))
		}
		if name, ok := r.Text.(string); ok {
			if b, err := os.ReadFile(filepath.Join(corpora.Dir(t), "mime-zbateson", "reference", name)); err == nil {
				check("text", m.Text, decodeCharset(b, "iso-8859-1"))
			}
		}
	}
	s.check(t, "zbateson", 950)
}

func testWebklex(t *testing.T) {
	type row struct {
		File   string
		Expect [][2]any
	}
	var s score
	for _, r := range rows[row](t, filepath.Join(corpora.Dir(t), "mime-webklex", "expected.jsonl")) {
		m := readCase(t, "mime-webklex", r.File)
		for _, e := range r.Expect {
			want, ok := e[1].(string)
			if !ok {
				continue
			}
			var got string
			switch e[0] {
			case "message.subject", "message.getSubject()":
				got = m.Subject
			case "message.message_id":
				got = strings.Trim(m.MessageID, "<>")
			case "message.from.first().mail":
				if len(m.From) > 0 {
					got = m.From[0].Addr
				}
			case "message.getTextBody()":
				got = m.Plain
			case "message.getHTMLBody()":
				got = m.HTML
			default:
				continue
			}
			if !s.add(fold(got) == fold(want)) {
				t.Logf("%s %s: got %.200q want %.200q", r.File, e[0], got, want)
			}
		}
	}
	s.check(t, "webklex", 950)
}

func testPHPParser(t *testing.T) {
	type row struct {
		File, Subject string
		From          []struct{ Display, Address string } `json:"from_addresses"`
		Text          []any
		Attachments   [][]any
	}
	var s score
	for _, r := range rows[row](t, filepath.Join(corpora.Dir(t), "mime-phpparser", "expected.jsonl")) {
		m := readCase(t, "mime-phpparser", r.File)
		if !s.add(fold(m.Subject) == fold(r.Subject)) {
			t.Logf("%s subject: got %q want %q", r.File, m.Subject, r.Subject)
		}
		if len(r.From) > 0 && !s.add(len(m.From) > 0 && m.From[0].Addr == r.From[0].Address) {
			t.Logf("%s from: got %v want %v", r.File, m.From, r.From)
		}
		if len(r.Text) == 2 && r.Text[0] == "MATCH" {
			want, _ := r.Text[1].(string)
			if !s.add(fold(m.Plain) == fold(want)) {
				t.Logf("%s text: got %.200q want %.200q", r.File, m.Plain, want)
			}
		}
		for _, a := range r.Attachments {
			name, _ := a[0].(string)
			if !s.add(hasPart(m, name)) {
				t.Logf("%s: no attachment %q", r.File, name)
			}
		}
	}
	s.check(t, "phpparser", 950)
}

func hasPart(m *Message, name string) bool {
	for i := range m.Parts {
		if m.Parts[i].Name == name {
			return true
		}
	}
	return false
}

func testStalwartHeaders(t *testing.T) {
	type row struct {
		Case, Kind, Header string
		Expected           json.RawMessage
	}
	scores := map[string]*score{}
	for _, r := range rows[row](t, filepath.Join(corpora.Dir(t), "mime-stalwart", "headers.jsonl")) {
		h := ParseHeader([]byte("X-H: " + r.Header))
		got, want, ok := stalwart(h, r.Kind, r.Expected)
		if !ok {
			continue
		}
		if scores[r.Kind] == nil {
			scores[r.Kind] = &score{}
		}
		if !scores[r.Kind].add(got == want) {
			t.Logf("%s %q: got %q want %q", r.Case, r.Header, got, want)
		}
	}
	floors := map[string]int{"address": 950, "date": 950, "id": 950, "content_type": 950,
		"unstructured": 760} // Stalwart puts a space between "[tag]" and an encoded word; RFC 2047 has none there
	for kind, s := range scores {
		s.check(t, "stalwart "+kind, floors[kind])
	}
}

// stalwart brings our reading and the expected one into one form.
func stalwart(h Header, kind string, raw json.RawMessage) (got, want string, ok bool) {
	value := h.first("X-H")
	switch kind {
	case "address":
		// Names with comments, routes and list URLs are matters of taste.
		want := expectedAddresses(raw)
		if strings.ContainsAny(value, "(") {
			return bareText(ParseAddresses(value)), bareText(want), len(want) > 0
		}
		return addressText(ParseAddresses(value)), addressText(want), len(want) > 0
	case "id":
		return strings.Join(IDs(value), " "), expectedIDs(raw), true
	case "unstructured":
		var s string
		ok := json.Unmarshal(raw, &s) == nil
		return fold(DecodeWords(value)), fold(s), ok
	case "date":
		return expectedDate(value, raw)
	case "content_type":
		var e struct {
			Type string `json:"c_type"`
			Sub  string `json:"c_subtype"`
		}
		ok := json.Unmarshal(raw, &e) == nil && e.Sub != ""
		media, _ := parseMedia(value)
		return strings.ReplaceAll(media, " ", ""), e.Type + "/" + e.Sub, ok
	}
	return "", "", false
}

func expectedAddresses(raw json.RawMessage) []Address {
	type box struct {
		Name, Address *string
	}
	var e struct {
		List  []box
		Group []struct{ Addresses []box }
	}
	if json.Unmarshal(raw, &e) != nil {
		return nil
	}
	boxes := e.List
	for _, g := range e.Group {
		boxes = append(boxes, g.Addresses...)
	}
	var all []Address
	for _, b := range boxes {
		var a Address
		if b.Name != nil {
			a.Name = *b.Name
		}
		if b.Address != nil {
			a.Addr = *b.Address
		}
		a.Addr = strings.Join(strings.Fields(a.Addr), "")
		if strings.HasPrefix(a.Addr, "@") {
			_, a.Addr, _ = strings.Cut(a.Addr, ":")
		}
		if strings.Contains(a.Addr, "@") && !strings.Contains(a.Addr, ":") {
			all = append(all, a)
		}
	}
	return all
}

func bareText(all []Address) string {
	for i := range all {
		all[i].Name = ""
	}
	return addressText(all)
}

func expectedIDs(raw json.RawMessage) string {
	var ids []string
	if json.Unmarshal(raw, &ids) != nil {
		return ""
	}
	for i := range ids {
		ids[i] = "<" + strings.Join(strings.Fields(ids[i]), "") + ">"
	}
	return strings.Join(ids, " ")
}

func expectedDate(value string, raw json.RawMessage) (got, want string, ok bool) {
	var e *struct {
		Year, Month, Day, Hour, Minute, Second int
		West                                   bool `json:"tz_before_gmt"`
		H                                      int  `json:"tz_hour"`
		M                                      int  `json:"tz_minute"`
	}
	if json.Unmarshal(raw, &e) != nil || e == nil || e.Month < 1 || e.Month > 12 {
		return "", "", false
	}
	offset := e.H*3600 + e.M*60
	if e.West {
		offset = -offset
	}
	d := time.Date(e.Year, time.Month(e.Month), e.Day, e.Hour, e.Minute, e.Second, 0, time.FixedZone("", offset))
	return ParseDate(value).UTC().Format(time.RFC3339), d.UTC().Format(time.RFC3339), true
}
