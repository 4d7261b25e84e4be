package message

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"strings"
	"testing"
)

// An issue that carries pictures is related(alternative, picture) in every
// reader's copy (RFC 2387), and its signatures hold.
func TestIssueWithPictures(t *testing.T) {
	i := testIssue()
	i.Inline = []Attachment{{Name: "quay.jpg", Type: "image/jpeg", ContentID: "abc@galley.invalid", Data: bytes.Repeat([]byte("\x00\x01\x02\xff\r\n."), 5000)}}
	c, err := Compile(i)
	if err != nil {
		t.Fatal(err)
	}
	signers := testSigners(t)
	raw, err := c.Splice(nil, testSlots(), signers)
	if err != nil {
		t.Fatal(err)
	}
	if good, err := verify(t, raw, signers); good != len(signers) {
		t.Errorf("%d signatures hold: %v", good, err)
	}
	if err := Check(raw); err != nil {
		t.Error(err)
	}
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/related" || params["type"] != "multipart/alternative" {
		t.Fatalf("%s %v: %v", kind, params, err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	first, err := parts.NextPart()
	if err != nil || !strings.HasPrefix(first.Header.Get("Content-Type"), "multipart/alternative") {
		t.Fatalf("%v: %v", first, err)
	}
	if text, err := io.ReadAll(first); err != nil || strings.Contains(string(text), SlotUnsubscribe) || strings.ContainsAny(string(text), "\x01\x02") {
		t.Errorf("a slot was not filled: %v", err)
	}
	second, err := parts.NextRawPart()
	if err != nil || second.Header.Get("Content-Id") != "<abc@galley.invalid>" || !strings.HasPrefix(second.Header.Get("Content-Disposition"), "inline") {
		t.Fatalf("%v: %v", second, err)
	}
}
