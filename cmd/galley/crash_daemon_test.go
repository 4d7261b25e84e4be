package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// asProgram in the environment makes the test binary be the program itself:
// the crash tests kill the real one, not a copy in a goroutine.
const asProgram = "GALLEY_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	switch os.Getenv(asProgram) {
	case "":
		os.Exit(m.Run())
	case "serve":
		go func() { // a test that was killed itself leaves no daemon behind
			io.Copy(io.Discard, os.Stdin)
			os.Exit(3)
		}()
	case asIngest:
		if err := takeIn(os.Args[1], os.Args[2], os.Args[3], os.Args[4]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	main()
}

// program is a command of the real program, in a process of its own.
func program(t *testing.T, config string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, append([]string{"--config", config}, args...)...)
	cmd.Env = append(os.Environ(), asProgram+"="+args[0])
	return cmd
}

// daemon is one life of the program.
type daemon struct {
	cmd   *exec.Cmd
	stdin io.Closer
	began time.Time
	ended chan struct{} // closed when the process is gone
}

// startDaemon runs galley serve; what it logs is added to daemon.log beside
// the configuration.
func startDaemon(t *testing.T, config string, env []string, flags ...string) *daemon {
	t.Helper()
	log, err := os.OpenFile(daemonLog(config), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	d := &daemon{cmd: program(t, config, append([]string{"serve"}, flags...)...), ended: make(chan struct{})}
	d.cmd.Stdout, d.cmd.Stderr = log, log
	d.cmd.Env = append(d.cmd.Env, env...)
	if d.stdin, err = d.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	d.began = time.Now()
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		d.cmd.Wait()
		close(d.ended)
	}()
	return d
}

// kill ends the process as the power does: SIGKILL, to its pid alone.
func (d *daemon) kill() { d.cmd.Process.Kill() } // an error says that it is gone already

// bury waits for the end of a killed process.
func (d *daemon) bury() {
	<-d.ended
	d.stdin.Close()
}

// alive tells whether the process runs.
func (d *daemon) alive() bool {
	select {
	case <-d.ended:
		return false
	default:
		return true
	}
}

func daemonLog(config string) string { return filepath.Join(filepath.Dir(config), "daemon.log") }

// checkLog fails on what no daemon may ever log, and shows the end of the log
// of a test that failed.
func checkLog(t *testing.T, config string) {
	log, err := os.ReadFile(daemonLog(config))
	if err != nil {
		return // no daemon was started
	}
	for _, bad := range []string{"panic:", "DATA RACE", "a part failed", "cannot become", "no move from"} {
		if i := bytes.Index(log, []byte(bad)); i >= 0 {
			t.Errorf("the daemon says %q: %s", bad, log[i:min(len(log), i+2000)])
		}
	}
	checkDiscreet(t, string(log), filepath.Dir(config))
	if t.Failed() {
		lines := strings.Split(string(log), "\n")
		t.Logf("the end of the daemon's log:\n%s", strings.Join(lines[max(0, len(lines)-40):], "\n"))
	}
}
