package list_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"galley/send/list"
	"galley/send/store"
	"galley/send/store/storetest"
)

const news = "rct"

var books = &list.List{Key: []byte("0123456789abcdef0123456789abcdef")}

func address(t testing.TB, s string) list.Address {
	t.Helper()
	a, err := list.ParseAddress(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func write(t testing.TB, db *store.DB, f func(ctx context.Context, tx *store.Tx) error) {
	t.Helper()
	if err := db.Update(t.Context(), func(tx *store.Tx) error { return f(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

// add puts somebody on the list and tells whether they were not on it.
func add(t testing.TB, db *store.DB, s string) (sub list.Subscriber, added bool) {
	t.Helper()
	write(t, db, func(ctx context.Context, tx *store.Tx) (err error) {
		sub, added, err = books.Add(ctx, tx, news, address(t, s), "Ada", tx.Now(), "asked by "+s)
		return err
	})
	return sub, added
}

func recipients(t testing.TB, db *store.DB, page int) (out []string) {
	t.Helper()
	err := db.View(t.Context(), func(tx *store.Tx) error {
		out = nil
		for after := int64(0); ; {
			people, err := books.Recipients(t.Context(), tx, news, after, page)
			if err != nil {
				return err
			}
			for _, s := range people {
				out, after = append(out, s.Address.String()), s.ID
			}
			if len(people) < page {
				return nil
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func history(t testing.TB, db *store.DB, id int64) (out []string) {
	t.Helper()
	err := db.View(t.Context(), func(tx *store.Tx) error {
		h, err := books.History(t.Context(), tx, news, id)
		for _, c := range h {
			out = append(out, c.What+": "+c.Evidence)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// trust.md bar 24: one person, one row, one copy.
func TestOnePersonHasOneRow(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		first, added := add(t, db, "ada@BÜCHER.example")
		if !added {
			t.Fatal("not added")
		}
		for _, s := range []string{"ada@bücher.EXAMPLE", " ada@xn--bcher-kva.example\t", "ADA@XN--BCHER-KVA.example", "Ada@bu\u0308cher.example"} {
			if again, added := add(t, db, s); added || again.ID != first.ID {
				t.Errorf("%q: added %v, row %d, want row %d", s, added, again.ID, first.ID)
			}
		}
		if got := recipients(t, db, 10); !reflect.DeepEqual(got, []string{"ada@xn--bcher-kva.example"}) {
			t.Errorf("copies go to %q", got)
		}
		if got := history(t, db, first.ID); len(got) != 1 {
			t.Errorf("history: %q", got)
		}
	})
}

func TestLeavingIsImmediateKeptAndIdempotent(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s, _ := add(t, db, "ada@example.org")
		for i, want := range []bool{true, false, false} {
			write(t, db, func(ctx context.Context, tx *store.Tx) error {
				left, err := books.Leave(ctx, tx, news, s.ID, "one-click")
				if left != want {
					t.Errorf("call %d: left %v", i, left)
				}
				people, err2 := books.Recipients(ctx, tx, news, 0, 10)
				if len(people) != 0 {
					t.Error("still a recipient in the very transaction")
				}
				return errors.Join(err, err2)
			})
		}
		if again, added := add(t, db, "ada@example.org"); !added || again.ID != s.ID || again.State != list.Active {
			t.Errorf("asked again: %+v, %v", again, added)
		}
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			left, err := books.LeaveAddress(ctx, tx, news, address(t, "ADA@example.org"), "by mail")
			if !left {
				t.Error("not left by address")
			}
			return err
		})
		want := []string{"joined: asked by ada@example.org", "left: one-click", "joined: asked by ada@example.org", "left: by mail"}
		if got := history(t, db, s.ID); !reflect.DeepEqual(got, want) {
			t.Errorf("history %q, want %q", got, want)
		}
	})
}

func TestLeavingNobody(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s, _ := add(t, db, "ada@example.org")
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			a, err := books.Leave(ctx, tx, news, s.ID+1, "x")
			b, err2 := books.Leave(ctx, tx, "another", s.ID, "x")
			c, err3 := books.LeaveAddress(ctx, tx, news, address(t, "eve@example.org"), "x")
			if a || b || c {
				t.Errorf("somebody left: %v %v %v", a, b, c)
			}
			return errors.Join(err, err2, err3)
		})
		if got := recipients(t, db, 2); len(got) != 1 {
			t.Errorf("recipients %q", got)
		}
	})
}

func TestSuppressionOutlivesTheRow(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s, _ := add(t, db, "ada@example.org")
		never := address(t, "never@example.org")
		for i, want := range []bool{true, false} {
			write(t, db, func(ctx context.Context, tx *store.Tx) error {
				a, err := books.Suppress(ctx, tx, news, address(t, "Ada@example.org"), "550 5.1.1")
				b, err2 := books.Suppress(ctx, tx, news, never, "complaint")
				if a != want || b != want {
					t.Errorf("call %d: %v %v", i, a, b)
				}
				return errors.Join(err, err2)
			})
		}
		for _, who := range []string{"ada@EXAMPLE.org", "NEVER@example.org"} {
			err := db.Update(t.Context(), func(tx *store.Tx) error {
				_, _, err := books.Add(t.Context(), tx, news, address(t, who), "", tx.Now(), "again")
				return err
			})
			var shut *list.SuppressedError
			if !errors.As(err, &shut) || shut.Reason == "" || shut.At.IsZero() {
				t.Errorf("%s: %v", who, err)
			}
		}
		if got := recipients(t, db, 2); len(got) != 0 {
			t.Errorf("recipients %q", got)
		}
		if text := dump(t, db, "suppression"); strings.Contains(text, "example.org") {
			t.Errorf("the suppressions name people: %s", text)
		}
		if got := history(t, db, s.ID); len(got) != 2 || got[1] != "suppressed: 550 5.1.1" {
			t.Errorf("history %q", got)
		}
	})
}

// dump is a table as text.
func dump(t testing.TB, db *store.DB, table string) (text string) {
	t.Helper()
	err := db.View(t.Context(), func(tx *store.Tx) error {
		rows, err := tx.QueryContext(t.Context(), "SELECT * FROM "+table)
		if err != nil {
			return err
		}
		defer rows.Close()
		names, _ := rows.Columns()
		for rows.Next() {
			cells := make([]any, len(names))
			for i := range cells {
				cells[i] = new(any)
			}
			if err := rows.Scan(cells...); err != nil {
				return err
			}
			for _, c := range cells {
				text += fmt.Sprint(*c.(*any)) + " "
			}
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestReleaseRestoresWhatConsentSays(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		on, _ := add(t, db, "on@example.org")
		off, _ := add(t, db, "off@example.org")
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			for _, s := range []list.Subscriber{on, off} {
				if _, err := books.Suppress(ctx, tx, news, s.Address, "bounced"); err != nil {
					return err
				}
			}
			if left, err := books.Leave(ctx, tx, news, off.ID, "by mail"); err != nil || !left {
				t.Error("somebody suppressed may still say that they leave", err)
			}
			for _, a := range []string{"on@example.org", "off@example.org", "stranger@example.org"} {
				done, err := books.Release(ctx, tx, news, address(t, a), "the editor knows")
				if done != (a != "stranger@example.org") || err != nil {
					t.Errorf("%s: released %v, %v", a, done, err)
				}
			}
			return nil
		})
		if got := recipients(t, db, 10); !reflect.DeepEqual(got, []string{"on@example.org"}) {
			t.Errorf("recipients %q", got)
		}
		if got := history(t, db, on.ID); got[len(got)-1] != "released: the editor knows" {
			t.Errorf("history %q", got)
		}
	})
}

func TestRecipientsComeInPagesAndCountsAgree(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for i := range 23 {
			add(t, db, fmt.Sprintf("r%02d@example.org", i))
		}
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			_, err := books.LeaveAddress(ctx, tx, news, address(t, "r05@example.org"), "x")
			_, err2 := books.Suppress(ctx, tx, news, address(t, "r06@example.org"), "x")
			_, _, err3 := books.Add(ctx, tx, "another", address(t, "r07@example.org"), "", tx.Now(), "x")
			return errors.Join(err, err2, err3)
		})
		whole := recipients(t, db, 1000)
		if len(whole) != 21 {
			t.Fatalf("%d recipients", len(whole))
		}
		for _, n := range []int{1, 3, 7, 20, 21, 22} {
			if got := recipients(t, db, n); !reflect.DeepEqual(got, whole) {
				t.Errorf("in pages of %d: %q", n, got)
			}
		}
		db.View(t.Context(), func(tx *store.Tx) error {
			c, err := books.Count(t.Context(), tx, news)
			if c != (list.Counts{Active: 21, Left: 1, Suppressed: 1}) || err != nil {
				t.Errorf("counts %+v, %v", c, err)
			}
			return nil
		})
	})
}

func TestNamesAreFitForAHeader(t *testing.T) {
	db := storetest.Open(t)
	for name, want := range map[string]string{
		"  Ada\r\nBcc: x@example.org ": "Ada Bcc: x@example.org", "Ada\x00\x1b[31m\u0085L": "Ada [31m L", "\ufeff": "",
		strings.Repeat("é", 200): strings.Repeat("é", 100), "bad\xffutf": "badutf",
	} {
		a := address(t, fmt.Sprintf("n%d@example.org", len(name)))
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			s, _, err := books.Add(ctx, tx, news, a, name, time.Now(), "x")
			if s.Name != want {
				t.Errorf("%q became %q, want %q", name, s.Name, want)
			}
			return err
		})
	}
}
