package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"galley/send"
	"galley/send/sendtest"
	"galley/send/servertest"
	"galley/send/store/storetest"
)

// further starts another machine that only sends, with copies of the first
// one's configuration and keys in a folder of its own.
func (r *rig) further(dir string) *daemon {
	r.t.Helper()
	r.copyTo(dir)
	d := startDaemon(r.t, filepath.Join(dir, "galley.toml"), nil, "--parts", "send")
	r.t.Cleanup(func() { d.kill(); d.bury() })
	return d
}

// senders waits until so many machines, each in its own life, have sent copies.
// A start may take long, so the next hop thinks long about each copy meanwhile:
// the run is to last.
func (r *rig) senders(n int) {
	r.t.Helper()
	r.think(500 * time.Millisecond)
	r.until(fmt.Sprintf("%d machines have sent copies", n), func() bool { return r.epochs() >= n })
	r.think(20 * time.Millisecond)
}

func (r *rig) epochs() int {
	return r.number(`SELECT count(DISTINCT epoch) FROM delivery WHERE state = 'sent'`)
}

// copyTo copies configuration and keys for another data folder.
func (r *rig) copyTo(dir string) {
	r.t.Helper()
	for _, name := range []string{"galley.toml", "galley.key", "dkim.pem"} {
		put(r.t, filepath.Join(dir, name), string(readFile(r.t, filepath.Join(r.dir, name))), 0o600)
	}
	if err := os.MkdirAll(filepath.Join(dir, "looks"), 0o700); err != nil {
		r.t.Fatal(err)
	}
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	octets, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return octets
}

// TestSecondHouse: two daemons that both want to do everything, on one
// PostgreSQL and with a data folder each, so that no lock of a file keeps them
// apart. The second says so and ends; when the first is dead it may.
func TestSecondHouse(t *testing.T) {
	servertest.Need(t, "postgres")
	r := newRig(t, footing{books: storetest.Schema(t, servertest.StartPostgres(t).URL), falls: true}, crashConfig{connections: 1})
	r.start()
	r.mail(crashEditor, crashBox, "status", "status\n", nil)
	r.paper("Status") // it has the lock
	dir := t.TempDir()
	r.copyTo(dir)
	config := filepath.Join(dir, "galley.toml")
	second := startDaemon(t, config, nil)
	t.Cleanup(func() { second.kill(); second.bury() })
	select {
	case <-second.ended:
	case <-time.After(crashWait):
		t.Fatal("two daemons do everything on the same books")
	}
	log := string(readFile(t, daemonLog(config)))
	if who := fmt.Sprintf("galley, process %d on ", r.d.cmd.Process.Pid); second.cmd.ProcessState.ExitCode() != exitFailed || !strings.Contains(log, who) || !strings.Contains(log, "--parts send") {
		t.Errorf("the second ends with %v and says\n%s", second.cmd.ProcessState, log)
	}
	if !r.d.alive() {
		t.Error("the first one is gone")
	}
	r.kill()
	third := startDaemon(t, config, nil)
	t.Cleanup(func() { third.kill(); third.bury() })
	r.mail(crashEditor, crashBox, "help", "help\n", nil)
	r.paper("")
	third.kill()
	third.bury()
	r.start() // for the end of the test
}

// TestFurtherMachine is the second half of bar 34, with the real program on
// PostgreSQL: a machine that sends beside the house is killed in mid-run, and
// another is frozen for longer than its lease lives. The house sends what they
// had; the frozen one ends itself when it wakes, and begins nothing more.
func TestFurtherMachine(t *testing.T) {
	servertest.Need(t, "postgres")
	const readers, lines = 900, 4
	r := newRig(t, footing{books: storetest.Schema(t, servertest.StartPostgres(t).URL), falls: true}, crashConfig{connections: lines})
	r.think(20 * time.Millisecond)
	r.readers(readers, noFate)
	r.start()
	dir := t.TempDir()
	second := r.further(dir)
	r.letOut()
	r.senders(2)
	r.reach(200)
	second.kill()
	second.bury()
	third := r.further(dir)
	r.senders(3)
	r.reach(500)
	if err := third.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	r.kills = 2
	for end := time.Now().Add(90 * time.Second); !r.run().Final(); time.Sleep(200 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the run did not end: %+v", r.run())
		}
	}
	before := r.sent()
	r.woken = r.sink.Stats().Messages
	if err := third.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	select {
	case <-third.ended:
	case <-time.After(20 * time.Second):
		t.Error("the frozen machine goes on after others have taken its copies")
	}
	log := string(readFile(t, daemonLog(filepath.Join(dir, "galley.toml"))))
	if code := third.cmd.ProcessState.ExitCode(); code != exitFailed || r.sent()-before > lines { // what was on the wire when it froze
		t.Errorf("it ends with code %d, after %d more copies:\n%s", code, r.sent()-before, tail(log, 10))
	}
	epochs := r.epochs()
	if run := r.run(); run.Counts[send.Sent] != readers || epochs != 3 {
		t.Errorf("%v; copies of %d machines", run.Counts, epochs)
	}
	r.complete(readers, func(a sendtest.Accepted) [32]byte { return a.Digest })
}
