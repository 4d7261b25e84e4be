package main

import (
	"net/url"
	"strings"
	"sync"

	"modernc.org/sqlite"
)

// brokenBooks are the databases whose commits somebody breaks, by path.
var brokenBooks struct {
	once sync.Once
	mu   sync.Mutex
	of   map[string]func() bool
}

// brokenCommits has every commit to the database at a path fail of which f says
// so, until the function that it returns is called: that gives their number.
// SQLite turns such a commit into a rollback, as a disk does that fails.
func brokenCommits(path string, f func() bool) (mend func() int) {
	n := 0
	b := &brokenBooks
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.of == nil {
		b.of = map[string]func() bool{}
	}
	b.of[path] = func() bool {
		if !f() {
			return false
		}
		n++
		return true
	}
	return func() int {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.of, path)
		return n
	}
}

// watchCommits must be called before a database is opened that is to break.
func watchCommits() {
	brokenBooks.once.Do(func() {
		sqlite.RegisterConnectionHook(func(c sqlite.ExecQuerierContext, dsn string) error {
			u, err := url.Parse(dsn)
			if err != nil || strings.Contains(dsn, "query_only") {
				return nil
			}
			c.(sqlite.HookRegisterer).RegisterCommitHook(func() int32 {
				brokenBooks.mu.Lock()
				defer brokenBooks.mu.Unlock()
				if f := brokenBooks.of[u.Path]; f != nil && f() {
					return 1
				}
				return 0
			})
			return nil
		})
	})
}
