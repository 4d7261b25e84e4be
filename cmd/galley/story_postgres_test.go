package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/rogpeppe/go-internal/txtar"

	"galley/send/servertest"
	"galley/send/store/storetest"
)

// TestStoriesOnPostgres plays each third story with its books in PostgreSQL,
// each in a schema of its own; with GALLEY_STORIES=all it plays them all. The time of the bubble stands still while the house waits for the
// server, since a goroutine that reads from a socket is not at rest. What that
// costs is the house's look at its lock, once a second of the story's time: the
// year is left out.
func TestStoriesOnPostgres(t *testing.T) {
	servertest.Need(t, "postgres")
	server := servertest.StartPostgres(t).URL
	files, err := filepath.Glob("testdata/stories/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	t.Run("stories", func(t *testing.T) {
		for n, file := range files {
			if n%3 != 0 && os.Getenv("GALLEY_STORIES") != "all" || strings.HasSuffix(file, "a-year.txtar") {
				continue
			}
			t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
				t.Parallel()
				archive, err := txtar.ParseFile(file)
				if err != nil {
					t.Fatal(err)
				}
				books := storetest.Schema(t, server)
				synctest.Test(t, func(t *testing.T) { tellOn(t, archive, books) })
			})
		}
	})
}
