package main

import (
	"hash/crc32"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/rogpeppe/go-internal/txtar"

	"galley/send/servertest"
	"galley/send/store/storetest"
)

// sqliteOwn are the lines of stories that look into the files of the books, or
// count what has left at an instant, which depends on when rows are claimed.
var sqliteOwn = regexp.MustCompile(`the house keeps .*|the books are copied away|\d+ of \d+ have it`)

// TestStoriesOnPostgres plays each third story with its books in PostgreSQL,
// each in a schema of its own; with GALLEY_STORIES=all it plays them all. The time of the bubble stands still while the house waits for the
// server, since a goroutine that reads from a socket is not at rest. What that
// costs is the house's look at its lock, once a second of the story's time: the
// year is left out.
func TestStoriesOnPostgres(t *testing.T) {
	servertest.Need(t, "postgres")
	t.Parallel()
	server := servertest.StartPostgres(t).URL
	files, err := filepath.Glob("testdata/stories/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	share := uint32(3)
	if raceDetector {
		share = 9
	}
	t.Run("stories", func(t *testing.T) {
		for _, file := range files {
			if name := filepath.Base(file); crc32.ChecksumIEEE([]byte(name))%share != 1 && os.Getenv("GALLEY_STORIES") != "all" || name == "a-year.txtar" {
				continue
			}
			t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
				t.Parallel()
				archive, err := txtar.ParseFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if own := sqliteOwn.FindString(string(archive.Comment)); own != "" {
					t.Logf("left to SQLite: %q", own)
					return
				}
				books := storetest.Schema(t, server)
				synctest.Test(t, func(t *testing.T) { tellOn(t, archive, books) })
			})
		}
	})
}
