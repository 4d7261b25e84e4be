package mailbox

import (
	"bytes"
	"context"
	"testing"

	"galley/inbox/inboxtest"
)

// Take brings the one message that is asked for, wherever it was filed, and
// leaves the others; one that is nowhere is no error.
func TestTake(t *testing.T) {
	for name, o := range map[string]inboxtest.Options{"usual": {}, "without UIDPLUS": {NoUIDPlus: true}} {
		t.Run(name, func(t *testing.T) {
			o.Users, o.Folders = map[string]string{"news": "pass"}, []string{"Galley/Automatic"}
			srv := inboxtest.New(o)
			t.Cleanup(func() { srv.Close() })
			addr, err := srv.Listen("127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			wanted, other := []byte("Message-ID: <wanted@a.example>\r\n\r\none\r\n"), []byte("Message-ID: <other@a.example>\r\n\r\ntwo\r\n")
			m := &Mailbox{Addr: addr, Security: Plain, User: "news", Password: func(context.Context) (string, error) { return "pass", nil }}
			t.Cleanup(func() { m.Close() })
			for _, raw := range [][]byte{other, wanted} {
				if err := m.Append(t.Context(), "Galley/Automatic", raw); err != nil {
					t.Fatal(err)
				}
			}
			got, err := m.Take(t.Context(), "<wanted@a.example>", "Galley/Nowhere", "Galley/Automatic")
			if err != nil || got == nil || !bytes.Equal(got.Raw, wanted) || got.Received.IsZero() {
				t.Fatalf("took %+v, %v", got, err)
			}
			left, err := srv.Messages("news", "Galley/Automatic")
			if want := map[bool]int{false: 1, true: 2}[o.NoUIDPlus]; err != nil || len(left) != want {
				t.Errorf("%d messages are left, want %d: %v", len(left), want, err)
			}
			if got, err := m.Take(t.Context(), "<never@a.example>", "Galley/Automatic"); got != nil || err != nil {
				t.Errorf("took %+v, %v", got, err)
			}
		})
	}
}
