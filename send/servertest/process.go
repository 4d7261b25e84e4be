package servertest

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// patience bounds every start and every end of a server. rspamd compiles its
// rules first, which takes a machine that does much else a minute.
const patience = 3 * time.Minute

// Need skips the test where no servers are wanted, and fails it where a
// program is missing. The programs of daemons stand in /usr/sbin, which is
// not on everybody's path.
func Need(t testing.TB, programs ...string) {
	t.Helper()
	if os.Getenv("GALLEY_SERVERS") == "" {
		t.Skip("GALLEY_SERVERS is not set: real servers are not started")
	}
	if testing.Short() {
		t.Skip("real servers are not started in short tests")
	}
	for _, name := range programs {
		if _, err := find(name); err != nil {
			t.Fatalf("%v; .ci/run lists the packages that the tests need", err)
		}
		if name == "postfix" && os.Getuid() != 0 {
			t.Fatal("Postfix starts as root alone: run this test as root, as .ci/run does; Dovecot, PostgreSQL, rspamd and Exim need no root")
		}
	}
}

// find is exec.LookPath, in the folders of daemons too.
func find(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err == nil {
		return path, nil
	}
	for _, dir := range []string{"/usr/sbin", "/usr/lib/postfix/sbin"} {
		if path := filepath.Join(dir, name); isFile(path) {
			return path, nil
		}
	}
	newest, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if len(newest) > 0 {
		return newest[len(newest)-1], nil
	}
	return "", err
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// enough is how much room a folder in memory must have for all the servers of
// the tests that run at once.
const enough = 2 << 30

// spool is where the servers' folders are: in memory where there is room.
// Postfix syncs every mail to the disk several times, which no test is about:
// they kill servers, and not the machine.
func spool() string {
	const memory = "/dev/shm"
	var fs syscall.Statfs_t
	if err := syscall.Statfs(memory, &fs); err != nil || uint64(fs.Bsize)*fs.Bavail < enough {
		return ""
	}
	return memory
}

// folder is a short-named temporary folder that servers of every user can
// reach: the path of a socket may have 107 octets. It belongs to the user of
// the servers.
func folder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp(spool(), "galley")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	give(t, dir)
	return dir
}

// give makes a file the property of the user of the servers.
func give(t testing.TB, path string) {
	t.Helper()
	if uid, gid := ids(t); os.Getuid() == 0 {
		if err := os.Chown(path, uid, gid); err != nil {
			t.Fatal(err)
		}
	}
}

// ids are those of whom the servers run as: nobody instead of root.
func ids(t testing.TB) (uid, gid int) {
	t.Helper()
	if os.Getuid() != 0 {
		return os.Getuid(), os.Getgid()
	}
	who, err := user.Lookup("nobody")
	if err != nil {
		t.Fatal(err)
	}
	uid, _ = strconv.Atoi(who.Uid)
	gid, _ = strconv.Atoi(who.Gid)
	return uid, gid
}

// userNames are the names of ids, as configurations want them.
func userNames(t testing.TB) (owner, group string) {
	t.Helper()
	uid, gid := ids(t)
	u, err := user.LookupId(strconv.Itoa(uid))
	if err != nil {
		t.Fatal(err)
	}
	g, err := user.LookupGroupId(strconv.Itoa(gid))
	if err != nil {
		t.Fatal(err)
	}
	return u.Username, g.Name
}

// asNobody runs a command as the user of the servers.
func asNobody(t testing.TB, cmd *exec.Cmd) *exec.Cmd {
	t.Helper()
	if os.Getuid() == 0 {
		uid, gid := ids(t)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	}
	cmd.Dir = os.TempDir()
	return cmd
}

// command is a program found by its name.
func command(t testing.TB, name string, args ...string) *exec.Cmd {
	t.Helper()
	path, err := find(name)
	if err != nil {
		t.Fatal(err)
	}
	return exec.Command(path, args...)
}

// process is one life of a server.
type process struct {
	t     testing.TB
	cmd   *exec.Cmd
	said  *bytes.Buffer
	ended chan struct{}
	watch io.WriteCloser // closed without a word, it has the server killed
	guard *exec.Cmd
}

// start runs a server in the foreground. It is ended by stop; sig is what the
// watcher sends when this process is gone.
func start(t testing.TB, sig syscall.Signal, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{t: t, cmd: cmd, said: &bytes.Buffer{}, ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = p.said, p.said
	cmd.WaitDelay = time.Second // its children may hold its output open
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		cmd.Wait()
		close(p.ended)
	}()
	p.guard = exec.Command("sh", "-c", fmt.Sprintf("read word || kill -%d %d", sig, cmd.Process.Pid))
	p.guard.Dir = os.TempDir()
	var err error
	if p.watch, err = p.guard.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := p.guard.Start(); err != nil {
		t.Fatal(err)
	}
	return p
}

// stop ends the server with a signal and waits for its end. An end that was
// before is fine.
func (p *process) stop(sig syscall.Signal) {
	p.t.Helper()
	p.cmd.Process.Signal(sig)
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.t.Errorf("%s did not end in %v", p.cmd.Path, patience)
		p.cmd.Process.Kill()
		<-p.ended
	}
	if p.guard != nil {
		io.WriteString(p.watch, "gone\n")
		p.watch.Close()
		p.guard.Wait()
		p.guard = nil
	}
}

// await waits until ready is true, and fails the test when the server ends
// before.
func (p *process) await(what string, ready func() bool) {
	p.t.Helper()
	end := time.After(patience)
	for !ready() {
		select {
		case <-p.ended:
			p.t.Fatalf("%s ended: %v\n%s", p.cmd.Path, p.cmd.ProcessState, p.said)
		case <-end:
			p.t.Fatalf("%s: not %s in %v", p.cmd.Path, what, patience)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// listens waits until a server greets, or takes a line, at an address.
func (p *process) listens(addr string) {
	p.t.Helper()
	network := "tcp"
	if filepath.IsAbs(addr) {
		network = "unix"
	}
	p.await("listening on "+addr, func() bool {
		conn, err := net.DialTimeout(network, addr, time.Second)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
}

// ports gives n addresses of 127.0.0.1 that are free, each another.
func ports(t testing.TB, n int) []int {
	t.Helper()
	var out []int
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		out = append(out, l.Addr().(*net.TCPAddr).Port)
	}
	return out
}

func local(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// write puts a file that the servers may read, and others too.
func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	give(t, path)
}

// must runs a command to its end and gives what it prints.
func must(t testing.TB, cmd *exec.Cmd) string {
	t.Helper()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, out)
	}
	return string(out)
}
