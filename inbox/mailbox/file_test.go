package mailbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"galley/inbox/inboxtest"
)

// where are the letters of a folder, with their flags.
func (h *house) where(t *testing.T, folder string) (list []string) {
	t.Helper()
	all, err := h.Messages("galley", folder)
	if err != nil {
		return nil // no such folder
	}
	for _, msg := range all {
		name := subjects([]Message{{Raw: msg.Raw}})[0]
		list = append(list, strings.TrimSpace(name+" "+strings.Join(msg.Flags, " ")))
	}
	return list
}

func expect(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

func TestDone(t *testing.T) {
	for _, c := range []struct {
		name             string
		options          inboxtest.Options
		refuse           string
		folder           string
		fails            bool
		inbox, elsewhere []string
	}{
		{"move", inboxtest.Options{}, "", "Galley/Drafts", false,
			[]string{"letter 1 \\Deleted", "letter 3"}, []string{"letter 2"}},
		{"move refused", inboxtest.Options{}, "MOVE", "Galley/Drafts", true,
			[]string{"letter 1 \\Deleted", "letter 2", "letter 3"}, nil},
		{"folder cannot be made", inboxtest.Options{}, "CREATE", "Galley/Drafts", true,
			[]string{"letter 1 \\Deleted", "letter 2", "letter 3"}, nil},
		{"copy", inboxtest.Options{NoMove: true}, "", "Galley/Drafts", false,
			[]string{"letter 1 \\Deleted", "letter 3"}, []string{"letter 2"}},
		{"copy refused", inboxtest.Options{NoMove: true}, "COPY", "Galley/Drafts", true,
			[]string{"letter 1 \\Deleted", "letter 2", "letter 3"}, nil},
		{"store refused", inboxtest.Options{NoMove: true}, "STORE", "Galley/Drafts", true,
			[]string{"letter 1 \\Deleted", "letter 2", "letter 3"}, []string{"letter 2", "letter 2"}},
		{"expunge refused", inboxtest.Options{NoMove: true}, "EXPUNGE", "Galley/Drafts", true,
			[]string{"letter 1 \\Deleted", "letter 2 \\Deleted", "letter 3"}, []string{"letter 2", "letter 2 \\Deleted"}},
		{"neither", inboxtest.Options{NoMove: true, NoUIDPlus: true}, "", "Galley/Drafts", false,
			[]string{"letter 1 \\Deleted", "letter 2 $processed", "letter 3"}, nil},
		{"no folder", inboxtest.Options{}, "", "", false,
			[]string{"letter 1 \\Deleted", "letter 2 $processed", "letter 3"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, c.options, func(t *testing.T, h *house) {
				// Another client's \Deleted mail is none of our business.
				h.Put("galley", "INBOX", letter(1), "\\Deleted")
				h.deliver(t, 2, 3)
				h.next(t, time.Minute)
				if c.refuse != "" {
					h.Refuse(c.refuse, "", "no")
				}
				for range 2 { // twice is once
					if err := h.m.Done(t.Context(), 1, []uint32{2}, c.folder); (err != nil) != c.fails || err != nil && !refused(err) {
						t.Errorf("Done: %v", err)
					}
				}
				expect(t, "INBOX", h.where(t, "INBOX"), c.inbox...)
				expect(t, "folder", h.where(t, "Galley/Drafts"), c.elsewhere...)
				if !h.m.Status().Connected {
					t.Error("a refusal ended the connection")
				}
				for _, cmd := range h.said("EXPUNGE") {
					t.Errorf("EXPUNGE of everything: %v", cmd)
				}
			})
		})
	}
}

// A server that says OK to COPY and names no copy has copied nothing.
func TestCopyWithoutProof(t *testing.T) {
	bubble(t, inboxtest.Options{NoMove: true}, func(t *testing.T, h *house) {
		h.deliver(t, 1, 1)
		h.next(t, time.Minute)
		h.Mangle(func(response string) []string {
			if before, after, ok := strings.Cut(response, "[COPYUID"); ok {
				_, after, _ = strings.Cut(after, "] ")
				return []string{before + after}
			}
			return []string{response}
		})
		if err := h.m.Done(t.Context(), 1, []uint32{1}, "Galley"); err != nil {
			t.Fatal(err)
		}
		expect(t, "INBOX", h.where(t, "INBOX"), "letter 1 $processed")
	})
}

func TestDoneNothingLeft(t *testing.T) {
	bubble(t, inboxtest.Options{}, func(t *testing.T, h *house) {
		h.deliver(t, 1, 2)
		h.next(t, time.Minute)
		for _, key := range [][2]uint32{{9, 1}, {1, 77}} { // an old validity; a UID that is gone
			if err := h.m.Done(t.Context(), key[0], []uint32{key[1]}, "Galley"); err != nil {
				t.Errorf("Done(%v): %v", key, err)
			}
		}
		expect(t, "INBOX", h.where(t, "INBOX"), "letter 1", "letter 2")
	})
}

// Done on a dead line says so at once while Next would be pausing.
func TestDoneWhileDown(t *testing.T) {
	bubble(t, inboxtest.Options{}, func(t *testing.T, h *house) {
		h.deliver(t, 1, 1)
		h.next(t, time.Minute)
		h.Down()
		dials := 0
		h.m.Dial = func(ctx context.Context) (net.Conn, error) { dials++; return h.Dial(ctx) }
		start := time.Now()
		for range 100 {
			if err := h.m.Done(t.Context(), 1, []uint32{1}, "Galley"); err == nil || refused(err) {
				t.Fatalf("Done: %v", err)
			}
		}
		if d := time.Since(start); d > time.Second {
			t.Errorf("took %v", d)
		}
		if dials > 1 {
			t.Errorf("dialled %d times", dials)
		}
		h.Heal()
		h.quiet(t, time.Minute)
		if err := h.m.Done(t.Context(), 1, []uint32{1}, "Galley"); err != nil {
			t.Error(err)
		}
		expect(t, "Galley", h.where(t, "Galley"), "letter 1")
	})
}

func TestDoneInSilence(t *testing.T) {
	bubble(t, inboxtest.Options{NoMove: true}, func(t *testing.T, h *house) {
		h.deliver(t, 1, 1)
		h.next(t, time.Minute)
		h.Stall("EXPUNGE")
		start := time.Now()
		if err := h.m.Done(t.Context(), 1, []uint32{1}, "Galley"); err == nil || time.Since(start) > commandTime {
			t.Errorf("Done: %v after %v", err, time.Since(start))
		}
		expect(t, "Galley", h.where(t, "Galley"), "letter 1")
	})
}

func TestAppend(t *testing.T) {
	bubble(t, inboxtest.Options{}, func(t *testing.T, h *house) {
		idling := make(chan error)
		ctx, cancel := context.WithCancel(t.Context())
		go func() { _, err := h.m.Next(ctx); idling <- err }()
		time.Sleep(time.Second)
		for n := 1; n <= 2; n++ { // the folder is made, then it is there
			if err := h.m.Append(t.Context(), "Galley/Sent", letter(n), "\\Seen"); err != nil {
				t.Fatal(err)
			}
		}
		expect(t, "Sent", h.where(t, "Galley/Sent"), "letter 1 \\Seen", "letter 2 \\Seen")
		big := append(letter(3), strings.Repeat("0123456789abcde\n", 300_000)...)
		if err := h.m.Append(t.Context(), "Galley/Sent", big); err != nil {
			t.Error(err)
		}
		h.Refuse("APPEND", "OVERQUOTA", "the mailbox is full")
		err := h.m.Append(t.Context(), "Galley/Sent", letter(4))
		var no *Refusal
		if !errors.As(err, &no) || no.Code != "OVERQUOTA" {
			t.Errorf("refused: %v", err)
		}
		h.Heal()
		h.Stall("APPEND")
		if err := h.m.Append(t.Context(), "Galley/Sent", letter(5)); err == nil || !strings.Contains(err.Error(), "silent") {
			t.Errorf("silent: %v", err)
		}
		if !h.m.Status().Connected {
			t.Error("APPEND ended the connection that idles")
		}
		cancel()
		<-idling
	})
}

func TestFolderNames(t *testing.T) {
	for _, c := range []struct {
		space        space
		folder, want string
	}{
		{space{"", "/"}, "Galley/Drafts", "Galley/Drafts"},
		{space{"", "."}, "Galley/Drafts", "Galley.Drafts"},
		{space{"", "."}, "Galley/v1.2", "Galley.v1-2"},
		{space{"INBOX.", "."}, "Galley/Drafts", "INBOX.Galley.Drafts"},
		{space{"INBOX.", "."}, "INBOX.Sent", "INBOX.Sent"},
		{space{"INBOX/", "/"}, "Sent", "INBOX/Sent"},
		{space{"", ""}, "Galley/Drafts", "Galley-Drafts"},
		{space{"", "\\"}, "Galley/Drafts", "Galley\\Drafts"},
	} {
		if got := c.space.name(c.folder); got != c.want {
			t.Errorf("%q with %q: %q, want %q", c.folder, c.space, got, c.want)
		}
	}
}

// The names come from the server: by NAMESPACE, and by LIST without it.
func TestNamespace(t *testing.T) {
	for _, without := range []bool{false, true} {
		bubble(t, inboxtest.Options{}, func(t *testing.T, h *house) {
			h.Mangle(func(response string) []string {
				if without && strings.Contains(response, "CAPABILITY") {
					response = strings.ReplaceAll(response, " NAMESPACE", "")
				}
				if strings.HasPrefix(response, "* NAMESPACE") {
					response = "* NAMESPACE ((\"INBOX.\" \".\")) NIL NIL\r\n"
				}
				if strings.HasPrefix(response, "* LIST (\\Noselect)") {
					response = "* LIST (\\Noselect) \".\" \"\"\r\n"
				}
				return []string{response}
			})
			if err := h.m.Append(t.Context(), "Galley/Sent", letter(1)); err != nil {
				t.Fatal(err)
			}
			want := "INBOX.Galley.Sent"
			if without {
				want = "Galley.Sent"
			}
			expect(t, fmt.Sprint("without ", without), h.where(t, want), "letter 1")
		})
	}
}
