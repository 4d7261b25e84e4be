package send

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"galley/send/store"
)

// card is a file system of its own, which the kernel makes read-only when it
// meets an error, as it does with a disk that fails.
type card struct {
	t          *testing.T
	image, dir string
}

// insertCard mounts a card where that is possible.
func insertCard(t *testing.T) *card {
	t.Helper()
	mayMount(t)
	c := &card{t: t, image: filepath.Join(t.TempDir(), "image"), dir: t.TempDir()}
	if err := os.WriteFile(c.image, make([]byte, 32<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{"mkfs.ext4 -q -O ^has_journal " + c.image, c.mounting()} {
		mount(t, words)
	}
	t.Cleanup(func() { run("umount " + c.dir) })
	return c
}

// mayMount skips where file systems are not asked for, or only root could mount
// them; where CI asks for them it fails.
func mayMount(t *testing.T) {
	t.Helper()
	if os.Getenv("GALLEY_SERVERS") == "" {
		t.Skip("mounts a file system: set GALLEY_SERVERS and be root")
	}
	if os.Geteuid() != 0 {
		unmounted(t, "only root can mount a file system")
	}
}

// mount runs a command that mounting a file system needs.
func mount(t *testing.T, words string) {
	t.Helper()
	if out, err := run(words); err != nil {
		unmounted(t, fmt.Sprintf("%s: %v %s", words, err, out))
	}
}

func unmounted(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(why)
	}
	t.Skip(why)
}

func run(words string) ([]byte, error) {
	f := strings.Fields(words)
	return exec.Command(f[0], f[1:]...).CombinedOutput()
}

func (c *card) mounting() string { return "mount -o loop,errors=remount-ro " + c.image + " " + c.dir }

// fails has the kernel meet an error: from now on nothing can be written.
func (c *card) fails() {
	loop, err := run("findmnt --noheadings --output SOURCE " + c.dir)
	if err == nil {
		err = os.WriteFile("/sys/fs/ext4/"+filepath.Base(strings.TrimSpace(string(loop)))+"/trigger_fs_error", []byte("a test"), 0o200)
	}
	if err == nil && os.WriteFile(filepath.Join(c.dir, "more"), nil, 0o600) == nil {
		c.t.Error("the file system can still be written")
	}
	if err != nil {
		c.t.Error(err)
	}
}

// mended repairs the file system and mounts it again, as an operator does.
func (c *card) mended() {
	run("umount " + c.dir)
	run("e2fsck -y " + c.image) // its status says that it has repaired something
	if out, err := run(c.mounting()); err != nil {
		c.t.Fatalf("%v %s", err, out)
	}
}

// Bar 33 where the file system becomes read-only in mid-send. Nothing goes
// without a committed claim, and sending stops. Linux lets nobody write there
// again before it is unmounted, so the program ends and is started again.
func TestReadOnlyDisk(t *testing.T) {
	c := insertCard(t)
	path := filepath.Join(c.dir, "galley.db")
	db, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	const readers = 1000
	h := houseOn(t, db, 0)
	h.crowd(readers)
	var shut instant
	h.script.fate = func(e Envelope, try int) Outcome {
		h.claimedFirst(e)
		return accepted()
	}
	h.script.after = func(n int) {
		time.Sleep(time.Millisecond)
		if n == 200 {
			c.fails()
			shut.Store(new(time.Now()))
		}
	}
	h.publish(edition("The tide waits.", time.Now()))
	hard, die := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.q.run(t.Context(), hard) }()
	time.Sleep(4 * time.Second)
	before, at := h.taken(), shut.Load()
	if at == nil || len(before) >= readers || before[len(before)-1].at.Sub(*at) > 2*time.Second {
		t.Errorf("%d copies went; nothing could be written from %v on", len(before), at)
	}
	die()
	<-ended
	db.Close()
	c.mended()
	if h.q.DB, err = store.Open(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	defer h.q.DB.Close()
	h.again()
	h.until(30*time.Second, "sending goes on", func() bool { return len(h.taken()) > len(before) })
	h.until(time.Minute, "the run ends", h.done)
	if n := len(h.taken()); n > readers+h.q.Connections || len(h.script.perReader()) != readers {
		t.Errorf("%d copies for %d readers", n, len(h.script.perReader()))
	}
	t.Logf("%d copies before, %d in all", len(before), len(h.taken()))
}
