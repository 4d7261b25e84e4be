// Package storetest runs a storage test on every database at hand: SQLite
// always, PostgreSQL when GALLEY_POSTGRES names a server. It owns nothing;
// each test has a database of its own that ends with it.
package storetest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"galley/send/store"
)

// Open gives t an SQLite database of its own in a temporary folder.
func Open(t testing.TB) *store.DB {
	t.Helper()
	db, err := store.Open(context.Background(), filepath.Join(t.TempDir(), "galley.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// Each runs f on SQLite and, when the environment variable GALLEY_POSTGRES
// holds the URL of a server, on a schema of its own in PostgreSQL.
func Each(t *testing.T, f func(t *testing.T, db *store.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { f(t, Open(t)) })
	if server := os.Getenv("GALLEY_POSTGRES"); server != "" {
		t.Run("postgres", func(t *testing.T) { f(t, openPostgres(t, server)) })
	}
}

func openPostgres(t *testing.T, server string) *store.DB {
	t.Helper()
	schema := "t_" + strings.ToLower(rand.Text())
	admin, err := sql.Open("pgx", server)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := admin.Exec("CREATE SCHEMA " + schema); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(context.Background(), withSchema(t, server, schema))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		db.Close()
		if _, err := admin.Exec("DROP SCHEMA " + schema + " CASCADE"); err != nil {
			t.Error(err)
		}
		admin.Close()
	})
	return db
}

func withSchema(t *testing.T, server, schema string) string {
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("search_path", schema)
	u.RawQuery = q.Encode()
	return u.String()
}
