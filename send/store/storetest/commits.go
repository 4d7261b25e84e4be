package storetest

import (
	"net/url"
	"strings"
	"sync"

	"modernc.org/sqlite"
)

// broken are the SQLite databases whose commits somebody breaks, by path. The
// driver knows hooks of the whole process alone.
var broken struct {
	once sync.Once
	mu   sync.Mutex
	of   map[string]func() bool
}

// BreakCommits has every commit to the SQLite database at a path fail of which
// f says so, until the function that it returns is called: that gives their
// number. SQLite turns such a commit into a rollback, as with a disk that
// fails. WatchCommits must have been called before the database was opened.
func BreakCommits(path string, f func() bool) (mend func() int) {
	n := 0
	broken.mu.Lock()
	defer broken.mu.Unlock()
	if broken.of == nil {
		broken.of = map[string]func() bool{}
	}
	broken.of[path] = func() bool {
		if !f() {
			return false
		}
		n++
		return true
	}
	return func() int {
		broken.mu.Lock()
		defer broken.mu.Unlock()
		delete(broken.of, path)
		return n
	}
}

// WatchCommits prepares the databases that are opened from now on for
// BreakCommits.
func WatchCommits() {
	broken.once.Do(func() {
		sqlite.RegisterConnectionHook(func(c sqlite.ExecQuerierContext, dsn string) error {
			u, err := url.Parse(dsn)
			if err != nil || strings.Contains(dsn, "query_only") {
				return nil
			}
			c.(sqlite.HookRegisterer).RegisterCommitHook(func() int32 {
				broken.mu.Lock()
				defer broken.mu.Unlock()
				if f := broken.of[u.Path]; f != nil && f() {
					return 1
				}
				return 0
			})
			return nil
		})
	})
}
