package mailbox

import (
	"context"
	"strings"
	"testing"
	"time"

	"galley/inbox/inboxtest"
)

// Heads gives the headers of the newest of our mails and of nobody else's, and
// leaves all of them unread; a folder that is not there has none.
func TestHeads(t *testing.T) {
	srv := inboxtest.New(inboxtest.Options{Users: map[string]string{"news": "pass"}})
	t.Cleanup(func() { srv.Close() })
	addr, err := srv.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &Mailbox{Addr: addr, Security: Plain, User: "news", Password: func(context.Context) (string, error) { return "pass", nil }}
	t.Cleanup(func() { m.Close() })
	for _, raw := range []string{
		"Message-ID: <1@a.example>\r\nX-Loop: ours\r\n\r\none\r\n",
		"Message-ID: <2@a.example>\r\n\r\ntwo\r\n",
		"Message-ID: <3@a.example>\r\nX-Loop: ours\r\n\r\nthree\r\n",
		"Message-ID: <4@a.example>\r\nX-Loop: ours\r\n\r\nfour\r\n",
	} {
		if err := m.Append(t.Context(), "Sent", []byte(raw)); err != nil {
			t.Fatal(err)
		}
	}
	heads, err := m.Heads(t.Context(), "Sent", "X-Loop", "ours", time.Now().Add(-48*time.Hour), 2)
	if err != nil || len(heads) != 2 {
		t.Fatalf("%d headers, %v", len(heads), err)
	}
	for i, id := range []string{"<3@a.example>", "<4@a.example>"} {
		if h := string(heads[i]); !strings.Contains(h, id) || strings.Contains(h, "three") || strings.Contains(h, "four") {
			t.Errorf("header %d is %q", i, h)
		}
	}
	list, err := srv.Messages("news", "Sent")
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range list {
		for _, f := range x.Flags {
			if strings.EqualFold(string(f), `\Seen`) {
				t.Errorf("message %d was read", x.UID)
			}
		}
	}
	if heads, err := m.Heads(t.Context(), "Nowhere", "X-Loop", "ours", time.Time{}, 2); err != nil || len(heads) != 0 {
		t.Errorf("a folder that is not there has %d, %v", len(heads), err)
	}
	if heads, err := m.Heads(t.Context(), "Sent", "X-Loop", "ours", time.Now().Add(48*time.Hour), 2); err != nil || len(heads) != 0 {
		t.Errorf("%d came since the day after tomorrow, %v", len(heads), err)
	}
}
