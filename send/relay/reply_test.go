package relay

import (
	"bufio"
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"galley/send"
)

func TestReadReply(t *testing.T) {
	long := strings.Repeat("x", 60000)
	tests := []struct {
		in       string
		code     int
		enhanced string
		text     string
		fault    error
	}{
		{"250 ok\r\n", 250, "", "250 ok", nil},
		{"250\r\n", 250, "", "250", nil},
		{"250 \r\n", 250, "", "250", nil},
		{"250 ok\n", 250, "", "250 ok", nil},
		{"250-a\r\n250-b\r\n250 c\r\n", 250, "", "250 a b c", nil},
		{"550 5.1.1 nobody\r\n", 550, "5.1.1", "550 5.1.1 nobody", nil},
		{"550 5.1.10\r\n", 550, "5.1.10", "550 5.1.10", nil},
		{"550-5.7.26 first\r\n550-5.7.26 second\r\n550 5.7.26 third\r\n", 550, "5.7.26", "550 5.7.26 first second third", nil},
		{"550 4.1.1 other class\r\n", 550, "", "550 4.1.1 other class", nil},
		{"250 2.0.0.1 no status\r\n", 250, "", "250 2.0.0.1 no status", nil},
		{"250 2.1234.0 no status\r\n", 250, "", "250 2.1234.0 no status", nil},
		{"550 5..1 no status\r\n", 550, "", "550 5..1 no status", nil},
		{"550 bell \a and \xff\r\n", 550, "", "550 bell   and ?", nil},
		{"250-a\r\n550 b\r\n", 0, "", "", errReply},
		{"hello\r\n", 0, "", "", errReply},
		{"\r\n", 0, "", "", errReply},
		{"25\r\n", 0, "", "", errReply},
		{"150 no\r\n", 0, "", "", errReply},
		{"650 no\r\n", 0, "", "", errReply},
		{"2500 no\r\n", 0, "", "", errReply},
		{"250_no\r\n", 0, "", "", errReply},
		{"HTTP/1.1 400 Bad Request\r\n", 0, "", "", errReply},
		{strings.Repeat("250-a\r\n", 99) + "250 b\r\n", 250, "", "250" + strings.Repeat(" a", 99) + " b", nil},
		{strings.Repeat("250-a\r\n", 100) + "250 b\r\n", 0, "", "", errReplyLong},
		{"250-" + long + "\r\n250 b\r\n", 250, "", "250 " + long[:maxTranscript-4], nil},
		{"250 " + long + long + "\r\n", 0, "", "", errReplyLong},
		{"250-" + long + "\r\n250 " + long + "\r\n", 0, "", "", errReplyLong},
	}
	for _, test := range tests {
		rep, err := readReply(bufio.NewReader(strings.NewReader(test.in)), nil, nil)
		name := test.in[:min(40, len(test.in))]
		if !errors.Is(err, test.fault) {
			t.Errorf("%q: error %v, want %v", name, err, test.fault)
		}
		if err != nil {
			continue
		}
		o := rep.outcome(send.StageRcpt)
		if o.Code != test.code || o.Enhanced != test.enhanced || o.Transcript != test.text {
			t.Errorf("%q: %+v", name, o)
		}
	}
}

// FuzzReadReply: whatever comes, a reply is bounded, fit for a database, and
// what follows it stays in the reader.
func FuzzReadReply(f *testing.F) {
	for _, s := range []string{"250 ok\r\n", "250-a\r\n250 b\r\n", "550 5.1.1 x\r\n", "\xff\r\n", "250-\r\n250\r\n", "250 5.1.1\r\nrest"} {
		f.Add([]byte(s))
	}
	f.Add([]byte("250 " + strings.Repeat("x", 3*maxReplyOctets)))
	f.Add([]byte(strings.Repeat("250-x\r\n", 3*maxReplyLines)))
	f.Fuzz(func(t *testing.T, in []byte) {
		src := bytes.NewReader(in)
		r := bufio.NewReaderSize(src, 64)
		var lines int
		rep, err := readReply(r, nil, func([]byte) { lines++ })
		used := in[:len(in)-src.Len()-r.Buffered()]
		if len(used) > maxReplyOctets+64 || lines > maxReplyLines || len(rep.text) > maxTranscript {
			t.Fatalf("%d octets, %d lines, %d of text", len(used), lines, len(rep.text))
		}
		if err != nil {
			return
		}
		o := rep.outcome(send.StageDot)
		if !bytes.HasSuffix(used, []byte("\n")) || bytes.Count(used, []byte("\n")) != lines {
			t.Fatalf("read %q for a reply of %d lines", used, lines)
		}
		if o.Code < 200 || o.Code > 599 || !utf8.ValidString(o.Transcript) || strings.ContainsAny(o.Transcript, "\r\n\x00") {
			t.Fatalf("outcome %+v", o)
		}
		if o.Enhanced != "" && !strings.HasPrefix(o.Transcript[4:], o.Enhanced) {
			t.Fatalf("outcome %+v", o)
		}
	})
}

func TestExtensions(t *testing.T) {
	var x extensions
	for _, line := range []string{"PIPELINING at your service", "size 10240000", "Pipelining", "STARTTLS", "", "AUTH PLAIN login",
		"AUTH=LOGIN", "SMTPUTF8", "LIMITS RCPTMAX=50 MAILMAX=20"} {
		x.add([]byte(line))
	}
	if !x.pipelining || !x.startTLS || !x.utf8 || !x.sizes || x.size != 10240000 || x.mailMax != 20 {
		t.Errorf("%+v", x)
	}
	if want := []string{"PLAIN", "LOGIN", "LOGIN"}; !slices.Equal(x.auth, want) {
		t.Errorf("auth %q", x.auth)
	}
	var none extensions
	none.add([]byte("PIPELINING"))
	none.add([]byte("SIZE"))
	none.add([]byte("SIZE -5"))
	if none.pipelining || none.size != 0 {
		t.Errorf("%+v", none)
	}
}
