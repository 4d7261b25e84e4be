package servertest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Exim is an Exim that takes every mail and lays it into one folder.
type Exim struct {
	Port int // takes mail for anybody from anybody

	t   testing.TB
	dir string
}

// StartExim serves until the test ends. Exim cannot be installed beside
// Postfix, so GALLEY_EXIM says where its program was unpacked; .ci/run does so.
func StartExim(t testing.TB) *Exim {
	t.Helper()
	Need(t)
	program := os.Getenv("GALLEY_EXIM")
	switch {
	case program == "" && os.Getenv("CI") != "":
		t.Fatal("GALLEY_EXIM is not set: .ci/run unpacks Exim and says where")
	case program == "":
		t.Skip("GALLEY_EXIM is not set: Exim is not there")
	}
	dir := folder(t)
	owner, group := userNames(t)
	e := &Exim{Port: ports(t, 1)[0], t: t, dir: dir}
	conf := filepath.Join(dir, "conf")
	write(t, conf, strings.NewReplacer("DIR", dir, "PROGRAM", program, "OWNER", owner, "GROUP", group, "PORT", fmt.Sprint(e.Port)).Replace(eximConf))
	for _, sub := range []string{"spool", "log", "mail"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o700); err != nil {
			t.Fatal(err)
		}
		give(t, filepath.Join(dir, sub))
	}
	p := start(t, syscall.SIGTERM, asNobody(t, command(t, program, "-C", conf, "-bdf", "-q1h")))
	t.Cleanup(func() { p.stop(syscall.SIGTERM) })
	t.Cleanup(func() {
		if log, _ := os.ReadFile(filepath.Join(dir, "log", "mainlog")); t.Failed() {
			t.Logf("the end of Exim's log:\n%s", log[max(0, len(log)-3000):])
		}
	})
	p.listens(local(e.Port))
	return e
}

// eximConf delivers at once and keeps bodies as they come.
const eximConf = `exim_user = OWNER
exim_group = GROUP
exim_path = PROGRAM
local_interfaces = 127.0.0.1
daemon_smtp_ports = PORT
spool_directory = DIR/spool
log_file_path = DIR/log/%slog
pid_file_path = DIR/pid
primary_hostname = exim.test
keep_environment =
tls_advertise_hosts =
host_lookup =
rfc1413_query_timeout = 0s
deliver_drop_privilege = true
acl_smtp_rcpt = takes
begin acl
takes:
  accept
begin routers
everybody:
  driver = accept
  transport = folder
begin transports
folder:
  driver = appendfile
  directory = DIR/mail
  maildir_format = true
  user = OWNER
  group = GROUP
`

// Messages are the octets of all mails that were delivered, in no order.
func (e *Exim) Messages() [][]byte {
	e.t.Helper()
	files, err := filepath.Glob(filepath.Join(e.dir, "mail", "new", "*"))
	if err != nil {
		e.t.Fatal(err)
	}
	var out [][]byte
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			e.t.Fatal(err)
		}
		out = append(out, raw)
	}
	return out
}
