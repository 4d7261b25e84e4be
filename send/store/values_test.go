package store

import (
	"reflect"
	"testing"
)

func TestValues(t *testing.T) {
	for want, got := range map[string]string{
		"($3,$4),($5,$6)": Values(3, 2, 2),
		"($1)":            Values(1, 1, 1),
		"":                Values(1, 0, 3),
	} {
		if got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
}

func TestAmong(t *testing.T) {
	text, args := (&Tx{}).Among("id", []any{"a"}, []int64{7, 9})
	if text != "id IN ($2,$3)" || !reflect.DeepEqual(args, []any{"a", int64(7), int64(9)}) {
		t.Errorf("%s with %v", text, args)
	}
	text, args = (&Tx{dialect: PostgreSQL}).Among("id", []any{"a"}, []int64{7, 9})
	if text != "id = ANY ($2::bigint[])" || !reflect.DeepEqual(args, []any{"a", []int64{7, 9}}) {
		t.Errorf("%s with %v", text, args)
	}
}

func TestUnnamed(t *testing.T) {
	for query, want := range map[string]string{
		`SELECT $1, $2`:                       `SELECT ?, ?`,
		`SELECT a - 1 WHERE b = $1`:           `SELECT a - 1 WHERE b = ?`,
		`SELECT '$5', "$6" WHERE a = $1`:      `SELECT '$5', "$6" WHERE a = ?`,
		`SELECT 'it''s $1' WHERE a = $1`:      `SELECT 'it''s $1' WHERE a = ?`,
		`SELECT a LIMIT $1`:                   `SELECT a LIMIT 0+?`,
		`SELECT a LIMIT 5`:                    `SELECT a LIMIT 5`,
		`SELECT $10`:                          `SELECT $10`,
		`SELECT $2, $1`:                       `SELECT $2, $1`,
		`SELECT $1, $1`:                       `SELECT $1, $1`,
		`SELECT $1 -- $2`:                     `SELECT $1 -- $2`,
		`SELECT ?, $1`:                        `SELECT ?, $1`,
		`SELECT 'open $1`:                     `SELECT 'open $1`,
		`SELECT $name`:                        `SELECT $name`,
		`UPDATE t SET a = :a WHERE b = $1`:    `UPDATE t SET a = :a WHERE b = $1`,
		`SELECT ` + Values(1, 4, 3) + `, 'x'`: `SELECT (?,?,?),(?,?,?),(?,?,?),(?,?,?), 'x'`,
	} {
		if got := unnamed(query); got != want {
			t.Errorf("%s became %s", query, got)
		}
	}
}

// Both ways of writing give the same answers.
func TestUnnamedAsks(t *testing.T) {
	db, err := Open(t.Context(), t.TempDir()+"/books.db")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, query := range []string{`SELECT $1 || '$2' || $2`, `SELECT CASE WHEN $2 = 'b' THEN $1 || '$2' || $2 END`} {
		var got string
		if err := db.View(t.Context(), func(tx *Tx) error { return tx.QueryRowContext(t.Context(), query, "a", "b").Scan(&got) }); err != nil || got != "a$2b" {
			t.Errorf("%s: %q, %v", query, got, err)
		}
	}
}

// One text serves PostgreSQL for any number of rows, and SQLite's values stay as
// they are.
func TestTable(t *testing.T) {
	args := []any{int64(7), int64(1), "a", true, int64(2), "b", false}
	text, with := (&Tx{dialect: SQLite}).Table(args, 1, 3)
	if text != "VALUES ($2,$3,$4),($5,$6,$7)" || !reflect.DeepEqual(with, args) {
		t.Errorf("SQLite: %s of %v", text, with)
	}
	text, with = (&Tx{dialect: PostgreSQL}).Table(args, 1, 3)
	if text != "SELECT * FROM unnest($2::bigint[], $3::text[], $4::boolean[]) AS u (column1, column2, column3)" ||
		!reflect.DeepEqual(with, []any{int64(7), []any{int64(1), int64(2)}, []any{"a", "b"}, []any{true, false}}) {
		t.Errorf("PostgreSQL: %s of %v", text, with)
	}
	if args[1] != int64(1) {
		t.Error("the caller's values were written over")
	}
}
