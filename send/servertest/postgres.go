package servertest

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// Postgres is a PostgreSQL server with a cluster of its own.
type Postgres struct {
	URL string // of the database postgres, with a user who may do everything

	t    testing.TB
	dir  string
	port int
	p    *process
}

// StartPostgres makes a cluster and serves it until the test ends.
func StartPostgres(t testing.TB) *Postgres {
	t.Helper()
	Need(t, "initdb", "postgres")
	dir := folder(t)
	pg := &Postgres{t: t, dir: dir, port: ports(t, 1)[0]}
	must(t, asNobody(t, command(t, "initdb", "--pgdata", filepath.Join(dir, "data"), "--auth", "trust", "--username", "galley",
		"--encoding", "UTF8", "--locale", "C", "--no-sync")))
	pg.URL = fmt.Sprintf("postgres://galley@%s/postgres", local(pg.port))
	pg.Start()
	t.Cleanup(pg.Stop)
	return pg
}

// Start serves again what Stop or Kill has ended. Commits are not synced to
// the disk: what a killed server has written the kernel still has.
func (pg *Postgres) Start() {
	pg.t.Helper()
	pg.p = start(pg.t, syscall.SIGINT, asNobody(pg.t, command(pg.t, "postgres", "-D", filepath.Join(pg.dir, "data"), "-F",
		"-c", "listen_addresses=127.0.0.1", "-c", fmt.Sprintf("port=%d", pg.port), "-c", "unix_socket_directories=",
		"-c", "track_commit_timestamp=on", "-c", "max_connections=300", "-c", "shared_buffers=32MB", "-c", "log_min_messages=fatal")))
	pg.p.await("taking connections", pg.ready)
}

// ready speaks the first words of the protocol: a server that recovers from a
// crash listens already and refuses.
func (pg *Postgres) ready() bool {
	conn, err := net.Dial("tcp", local(pg.port))
	if err != nil {
		return false
	}
	defer conn.Close()
	const params = "user\x00galley\x00database\x00postgres\x00\x00"
	head := []byte{0, 0, 0, byte(8 + len(params)), 0, 3, 0, 0}
	if _, err := conn.Write(append(head, params...)); err != nil {
		return false
	}
	var kind [1]byte
	_, err = conn.Read(kind[:])
	return err == nil && kind[0] == 'R'
}

// Kill ends the server as the power does, by SIGKILL to the postmaster. Its
// children notice and end by themselves; Start waits for them.
func (pg *Postgres) Kill() {
	pg.t.Helper()
	pg.p.stop(syscall.SIGKILL)
	for end := time.Now().Add(patience); !pg.alone(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			pg.t.Fatalf("PostgreSQL's children live %v longer than it", patience)
		}
	}
	if err := os.Remove(filepath.Join(pg.dir, "data", "postmaster.pid")); err != nil && !errors.Is(err, os.ErrNotExist) {
		pg.t.Fatal(err)
	}
}

// Stop ends the server in order.
func (pg *Postgres) Stop() {
	pg.t.Helper()
	pg.p.stop(syscall.SIGINT)
}

// alone tells that no process works in the cluster's folder any more.
func (pg *Postgres) alone() bool {
	folders, err := filepath.Glob("/proc/[0-9]*/cwd")
	if err != nil {
		return false
	}
	for _, f := range folders {
		if dir, err := os.Readlink(f); err == nil && dir == filepath.Join(pg.dir, "data") {
			return false
		}
	}
	return true
}
