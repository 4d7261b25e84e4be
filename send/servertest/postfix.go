package servertest

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// PostfixOptions say what a Postfix stands between.
type PostfixOptions struct {
	Dovecot *Dovecot // takes the mail of all Domains, and judges passwords
	Domains []string // mail for any other comes back: there is no way out of the test

	// Signs is the milter of submitted mail and Judges those of mail that
	// comes in; "" and nil are none. They are addresses of sockets.
	Signs  string
	Judges []string
}

// Postfix is two servers in one: what is submitted is queued, goes on to the
// one that takes mail in, which offers no 8BITMIME, and from there to Dovecot.
type Postfix struct {
	Submission int // port: takes mail for anywhere from who logs in
	MX         int // port: takes mail for its domains from anybody

	t   testing.TB
	dir string
	p   *process
}

// StartPostfix serves until the test ends. It has to be root for this.
func StartPostfix(t testing.TB, o PostfixOptions) *Postfix {
	t.Helper()
	Need(t, "postfix")
	dir, free := folder(t), ports(t, 2)
	if err := os.Chown(dir, 0, 0); err != nil { // Postfix insists
		t.Fatal(err)
	}
	f := &Postfix{Submission: free[0], MX: free[1], t: t, dir: dir}
	judges := strings.Join(o.Judges, ",")
	write(t, filepath.Join(dir, "etc", "main.cf"), strings.NewReplacer("DIR", dir, "LMTPPORT", fmt.Sprint(o.Dovecot.LMTP),
		"AUTH", o.Dovecot.Auth, "DOMAINS", strings.Join(o.Domains, " ")).Replace(mainCf))
	write(t, filepath.Join(dir, "etc", "master.cf"), strings.NewReplacer("SUBMISSION", local(f.Submission), "INCOMING", local(f.MX),
		"MXPORT", fmt.Sprint(f.MX), "SIGNS", o.Signs, "JUDGES", judges).Replace(masterCf))
	for _, name := range []string{"etc/main.cf", "etc/master.cf", "etc"} {
		if err := os.Chown(filepath.Join(dir, name), 0, 0); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(f.told)
	f.Start()
	t.Cleanup(f.Stop)
	return f
}

// mainCf tries again soon what a server that was ended and started has left
// without an answer: Postfix's own five minutes are longer than any test.
const mainCf = `compatibility_level = 3.6
queue_directory = DIR/queue
data_directory = DIR/data
maillog_file = DIR/mail.log
maillog_file_prefixes = /tmp, /dev/shm, DIR
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = loopback-only
inet_protocols = ipv4
myhostname = out.test
mydestination =
local_recipient_maps =
alias_maps =
alias_database =
mynetworks =
disable_dns_lookups = yes
virtual_mailbox_domains = DOMAINS
virtual_transport = lmtp:inet:127.0.0.1:LMTPPORT
default_transport = error:5.1.2 this test has no way out
relay_transport = error:5.1.2 this test has no way out
recipient_delimiter = +
lmtp_destination_concurrency_limit = 8
smtp_destination_concurrency_limit = 8
lmtp_lhlo_timeout = 10s
lmtp_mail_timeout = 10s
lmtp_rcpt_timeout = 10s
smtp_helo_timeout = 10s
default_process_limit = 20
smtpd_client_connection_count_limit = 0
smtpd_error_sleep_time = 0
smtpd_sasl_type = dovecot
smtpd_sasl_path = AUTH
message_size_limit = 104857600
minimal_backoff_time = 2s
maximal_backoff_time = 2s
queue_run_delay = 2s
bounce_size_limit = 50000
milter_default_action = tempfail
milter_protocol = 6
`

// masterCf runs all in the foreground and without chroot. Mail that was
// submitted goes on to the second server by content_filter, as it goes from
// one provider to another; myhostname differs there, or Postfix would see a
// loop.
const masterCf = `SUBMISSION inet n - n - - smtpd
  -o syslog_name=postfix/submission
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject
  -o smtpd_recipient_restrictions=
  -o smtpd_milters=SIGNS
  -o content_filter=smtp:[127.0.0.1]:MXPORT
INCOMING inet n - n - - smtpd
  -o syslog_name=postfix/mx
  -o myhostname=mx.test
  -o smtpd_discard_ehlo_keywords=8bitmime,chunking
  -o smtpd_relay_restrictions=reject_unauth_destination
  -o smtpd_milters=JUDGES
  -o smtpd_authorized_xclient_hosts=127.0.0.1
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`

// Start serves again what Stop has ended; what is queued goes on.
func (f *Postfix) Start() {
	f.t.Helper()
	for name, mode := range map[string]os.FileMode{"queue": 0o755, "data": 0o700} {
		if err := os.MkdirAll(filepath.Join(f.dir, name), mode); err != nil {
			f.t.Fatal(err)
		}
	}
	must(f.t, command(f.t, "chown", "postfix", filepath.Join(f.dir, "data")))
	cmd := command(f.t, "postfix", "-c", filepath.Join(f.dir, "etc"), "start-fg")
	cmd.Dir = f.dir
	f.p = start(f.t, syscall.SIGTERM, cmd)
	f.p.listens(local(f.Submission))
	f.p.listens(local(f.MX))
}

// Stop ends the server with all its lines. What was started is a shell that
// waits for Postfix's master, whose pid stands in a file.
func (f *Postfix) Stop() {
	f.t.Helper()
	text, err := os.ReadFile(filepath.Join(f.dir, "queue", "pid", "master.pid"))
	if pid, bad := strconv.Atoi(strings.TrimSpace(string(text))); err == nil && bad == nil {
		syscall.Kill(pid, syscall.SIGTERM)
	}
	f.p.stop(syscall.SIGTERM)
}

// Idle tells whether nothing is on its way through the two servers. While they
// try again and again what Dovecot does not take, they seldom are.
func (f *Postfix) Idle() bool {
	f.t.Helper()
	for _, queue := range []string{"incoming", "active"} {
		files, err := os.ReadDir(filepath.Join(f.dir, "queue", queue))
		if err != nil {
			f.t.Fatal(err)
		}
		if len(files) > 0 {
			return false
		}
	}
	return true
}

// Log is what Postfix has logged.
func (f *Postfix) Log() string {
	log, _ := os.ReadFile(filepath.Join(f.dir, "mail.log"))
	return string(log)
}

func (f *Postfix) told() {
	if f.t.Failed() {
		log := f.Log()
		f.t.Logf("the end of Postfix's log:\n%s", log[max(0, len(log)-2000):])
	}
}
