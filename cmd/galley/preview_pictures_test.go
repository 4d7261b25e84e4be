package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"galley/inbox/mime"
	"galley/send/message"
)

// A draft on disk shows what lies beside it, and nothing from elsewhere; a mail
// shows what it brings. The pages lead to files beside them, the mail carries
// the pictures itself.
func TestPreviewShowsPictures(t *testing.T) {
	dir := t.TempDir()
	text := "---\ntitle: \"#12 - Quays\"\n---\n\nHi!\n\n![The quay](pictures/quay.jpg)\n\n![Another](../outside.jpg)\n\nA [link](https://a.example/) here.\n"
	write(t, filepath.Join(dir, "outside.jpg"), string(painted("a.jpg", 20, 20)))
	write(t, filepath.Join(dir, "drafts", "pictures", "quay.jpg"), string(painted("quay.jpg", 2800, 100)))
	write(t, filepath.Join(dir, "drafts", "0012.md"), text)
	out, code := previewOf(t, filepath.Join(dir, "drafts", "0012.md"))
	if code != exitFaults {
		t.Errorf("exit code %d", code)
	}
	checkPreview(t, out, "pictures/quay.jpg")

	mail, err := (&message.Mail{From: message.Address{Addr: "a@a.example"}, To: []message.Address{{Addr: "b@b.example"}}, Subject: "this week",
		MessageID: "<1@a.example>", Date: time.Unix(0, 0), Text: []byte(text), Attachments: []message.Attachment{{Name: "quay.jpg", Type: "image/jpeg", Data: painted("quay.jpg", 2800, 100)}}}).Bytes()
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "draft.eml"), string(mail))
	out, _ = previewOf(t, filepath.Join(dir, "draft.eml"))
	checkPreview(t, out, "quay.jpg")
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func checkPreview(t *testing.T, out, name string) {
	t.Helper()
	var r report
	if err := json.Unmarshal(file(t, out, "report.json"), &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Images) != 1 || r.Images[0].Name != name || r.Images[0].Width != 1400 || r.Images[0].Type != "image/jpeg" {
		t.Fatalf("report.json tells of %+v", r.Images)
	}
	missing := 0
	for _, f := range r.Findings {
		if f.Code == "image-missing" {
			missing++
		}
	}
	if missing != 1 {
		t.Errorf("%d pictures are missing: %v", missing, r.Findings)
	}
	for _, page := range []string{"issue.html", "web.html"} {
		src := regexp.MustCompile(`src="([^"]+)"[^>]* alt="The quay"|alt="The quay"[^>]* src="([^"]+)"`).FindStringSubmatch(string(file(t, out, page)))
		if src == nil || src[1] != r.Images[0].File {
			t.Errorf("%s shows %q and not %s", page, src, r.Images[0].File)
		}
	}
	if len(file(t, out, r.Images[0].File)) != r.Images[0].Bytes {
		t.Error("the file beside the page is another one")
	}
	m, err := mime.Read(file(t, out, "issue.eml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range m.Parts {
		if p.Type == "image/jpeg" && strings.Contains(m.HTML, `src="cid:`+p.ContentID+`"`) {
			return
		}
	}
	t.Error("issue.eml does not carry the picture that it shows")
}
