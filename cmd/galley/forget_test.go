package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"

	"galley/compose"
	"galley/send"
	"galley/send/door"
	"galley/send/list"
	"galley/send/message"
	"galley/send/store"
	"galley/send/store/storetest"
)

// TestForgetInEveryTable: after forget no table of either database holds the
// address, and it is kept off the list by its hash all the same (trust.md bar
// 79). What the log and the files hold is the story of a reader in charge.
func TestForgetInEveryTable(t *testing.T) {
	const gone = "ada.gone@readers.example"
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := houseOn(t, db)
		a, err := list.ParseAddress(gone)
		if err != nil {
			t.Fatal(err)
		}
		update := func(f func(ctx context.Context, tx *store.Tx) error) {
			t.Helper()
			if err := db.Update(t.Context(), func(tx *store.Tx) error { return f(t.Context(), tx) }); err != nil {
				t.Fatal(err)
			}
		}
		update(func(ctx context.Context, tx *store.Tx) error { return everywhere(ctx, tx, h, a) })
		if n := len(tablesWith(t, db, gone)); n < 8 {
			t.Fatalf("she stands in %d tables before, so the test shows little", n)
		}
		update(func(ctx context.Context, tx *store.Tx) error {
			s, err := h.list.Find(ctx, tx, "quiet", a)
			if err != nil {
				return err
			}
			return h.door.Grant(ctx, tx, "quiet", a, s.ID, "asked to erase")
		})
		if err := h.records(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(tablesWith(t, db, gone)) < 8 {
			t.Error("it was done although a letter of hers is on its way to the editor")
		}
		update(func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.ExecContext(ctx, `UPDATE slip SET state = 'sent'`)
			return err
		})
		if err := h.records(t.Context()); err != nil {
			t.Fatal(err)
		}
		if where := tablesWith(t, db, gone); len(where) > 0 {
			t.Errorf("she still stands in %v", where)
		}
		update(func(ctx context.Context, tx *store.Tx) error {
			_, shut, err := h.list.Suppression(ctx, tx, "quiet", a)
			if !shut {
				t.Error("her address may be put on the list again")
			}
			return err
		})
	})
}

// houseOn joins the parts of a house on a database. Nothing runs.
func houseOn(t *testing.T, db *store.DB) *house {
	t.Helper()
	w := newWorld(t)
	w.configure()
	cfg := w.cfg()
	key := bytes.Repeat([]byte{7}, 32)
	h := &house{cfg: cfg, log: slog.New(slog.NewTextHandler(io.Discard, nil)), db: db, list: &list.List{Key: key}}
	if err := h.join(key); err != nil {
		t.Fatal(err)
	}
	return h
}

// everywhere writes an address into every room that keeps one.
func everywhere(ctx context.Context, tx *store.Tx, h *house, a list.Address) error {
	addr := a.String()
	s, _, err := h.list.Add(ctx, tx, "quiet", a, "Ada", tx.Now(), "said yes from "+addr)
	if err != nil {
		return err
	}
	var mail, edition, delivery int64
	now := store.Micros(tx.Now())
	err = tx.QueryRowContext(ctx, `INSERT INTO message (newsletter, digest, message_id, sender, subject, received, state, kind, reason) VALUES ('quiet', 'd', '<1@x>', $1, $2, $3, 'done', 'letter', $4) RETURNING id`,
		addr, "from "+addr, now, "words of "+addr).Scan(&mail)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO octets (message, raw) VALUES ($1, $2)`, mail, []byte("From: "+addr+"\r\n\r\nhello\r\n")); err != nil {
		return err
	}
	err = h.desk.Pass(ctx, tx, &compose.Letter{Newsletter: "quiet", Message: mail, MessageID: "<1@x>", Sender: addr, Name: "Ada", Subject: "from " + addr, Body: "write to " + addr})
	if err != nil {
		return err
	}
	err = h.desk.Suggest(ctx, tx, &compose.Suggestion{Newsletter: "quiet", Message: mail, Sender: addr, Name: "Ada", Note: "from " + addr, Links: []compose.SuggestedLink{{URL: "https://example.org/a", Note: "ask " + addr}}})
	if err != nil {
		return err
	}
	if _, err := h.desk.Decide(ctx, tx, &compose.Decision{Newsletter: "quiet", Editor: "ines@ines.example", Ruling: compose.Execute, Words: compose.Words{Commands: []compose.Command{{Word: "list", Args: []string{addr}, Line: "list " + addr}}}}); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE decision SET state = 'done', result = $1`, "List: "+addr); err != nil {
		return err
	}
	if err := h.door.Ask(ctx, tx, door.Request{Newsletter: "quiet", Kind: door.Data, Address: a, Subscriber: s.ID, Source: door.ByMail, Evidence: "from " + addr}); err != nil {
		return err
	}
	err = h.queue.Post(ctx, tx, &send.Slip{Newsletter: "quiet", Kind: "welcome", To: message.Address{Addr: addr}, Mail: &message.Mail{From: message.Address{Addr: letterBox}, To: []message.Address{{Addr: addr}},
		Subject: "Welcome", Date: tx.Now(), Text: []byte("Welcome " + addr + "\n")}})
	if err != nil {
		return err
	}
	err = tx.QueryRowContext(ctx, `INSERT INTO edition (newsletter, issue, revision, digest, subject, html, text, web, feed, state, send_at, changed) VALUES ('quiet', 12, 1, 'd', '#12', $1, $2, $3, $4, 'done', $5, $6) RETURNING id`,
		[]byte{}, []byte{}, []byte{}, []byte{}, now, now).Scan(&edition)
	if err != nil {
		return err
	}
	err = tx.QueryRowContext(ctx, `INSERT INTO delivery (newsletter, issue, edition, subscriber, address, name, state, reply, changed) VALUES ('quiet', 12, $1, $2, $3, 'Ada', 'sent', $4, $5) RETURNING id`,
		edition, s.ID, addr, "250 ok for "+addr, now).Scan(&delivery)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO attempt (delivery, edition, number, at, verdict, reply) VALUES ($1, $2, 1, $3, 'accepted', $4)`, delivery, edition, now, "250 ok for "+addr)
	if err == nil {
		_, err = tx.ExecContext(ctx, `INSERT INTO seal (edition, delivery, octets) VALUES ($1, $2, $3)`, edition, delivery, []byte("To: "+addr+"\r\n"))
	}
	if err == nil {
		_, err = tx.ExecContext(ctx, `INSERT INTO return (newsletter, delivery, message, kind, class, reason, counted, at, state) VALUES ('quiet', $1, $2, 'bounce', 'soft', $3, TRUE, $4, 'done')`,
			delivery, mail, "mailbox of "+addr+" is full", now)
	}
	return err
}

// tablesWith names the tables in which some column holds a text.
func tablesWith(t *testing.T, db *store.DB, text string) (out []string) {
	t.Helper()
	for table := range owner {
		n := 0
		err := db.View(t.Context(), func(tx *store.Tx) error {
			rows, err := tx.QueryContext(t.Context(), `SELECT * FROM `+table)
			if err != nil {
				return err
			}
			defer rows.Close()
			columns, err := rows.Columns()
			if err != nil {
				return err
			}
			for rows.Next() {
				values, into := make([]any, len(columns)), make([]any, len(columns))
				for i := range values {
					into[i] = &values[i]
				}
				if err := rows.Scan(into...); err != nil {
					return err
				}
				for _, v := range values {
					s := fmt.Sprint(v)
					if b, ok := v.([]byte); ok {
						s = string(b)
					}
					if strings.Contains(strings.ToLower(s), text) {
						n++
					}
				}
			}
			return rows.Err()
		})
		if err != nil {
			t.Fatalf("%s: %v", table, err)
		}
		if n > 0 {
			out = append(out, table)
		}
	}
	return out
}
