// Package storetest runs a storage test on every database at hand: SQLite
// always, PostgreSQL when GALLEY_POSTGRES names a server or GALLEY_SERVERS
// asks for one to be started. It owns nothing; each test has a database of its
// own that ends with it.
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

	"galley/send/servertest"
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

// Each runs f on SQLite and on a schema of its own in PostgreSQL: that of the
// URL in the environment variable GALLEY_POSTGRES, or one that is started for
// this test. Where servers are not wanted the second half is skipped.
func Each(t *testing.T, f func(t *testing.T, db *store.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { f(t, Open(t)) })
	t.Run("postgres", func(t *testing.T) {
		server := os.Getenv("GALLEY_POSTGRES")
		if server == "" {
			server = servertest.StartPostgres(t).URL
		}
		db, err := store.Open(context.Background(), Schema(t, server))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		f(t, db)
	})
}

// Schema makes a schema in the PostgreSQL server at a URL, and gives the URL
// of books in it. The schema ends with the test.
func Schema(t testing.TB, server string) string {
	t.Helper()
	schema := "t_" + strings.ToLower(rand.Text())
	admin, err := sql.Open("pgx", server)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := admin.Exec("CREATE SCHEMA " + schema); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := admin.Exec("DROP SCHEMA " + schema + " CASCADE"); err != nil {
			t.Error(err)
		}
		admin.Close()
	})
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("search_path", schema)
	u.RawQuery = q.Encode()
	return u.String()
}
