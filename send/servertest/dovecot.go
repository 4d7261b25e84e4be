package servertest

import (
	"fmt"
	"net"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Password is that of every user of Dovecot, and of Postfix, which asks it.
const Password = "sesame-of-the-tests"

// DovecotOptions say how a Dovecot differs from the usual one.
type DovecotOptions struct {
	// Users have mailboxes; mail for others is refused with 550 5.1.1.
	// Addresses with a plus, and of any domain, are those of their user.
	Users []string
	// Introspect is the URL that says whose an OAuth 2.0 token is (RFC 7662,
	// the token is put at its end); "" offers no token mechanism.
	Introspect string
	// Without are capabilities that IMAP does not offer, as "IDLE".
	Without []string
}

// Dovecot is a server of IMAP and of mail to its users by LMTP.
type Dovecot struct {
	IMAP int    // port, without TLS
	LMTP int    // port
	Auth string // address of the socket where Postfix asks for passwords

	t   testing.TB
	dir string
	p   *process
}

// StartDovecot serves IMAP and LMTP until the test ends.
func StartDovecot(t testing.TB, o DovecotOptions) *Dovecot {
	t.Helper()
	Need(t, "dovecot")
	dir, free := folder(t), ports(t, 2)
	d := &Dovecot{IMAP: free[0], LMTP: free[1], Auth: filepath.Join(dir, "auth"), t: t, dir: dir}
	owner, group := userNames(t)
	uid, gid := ids(t)
	var users, oauth strings.Builder
	for _, u := range o.Users {
		fmt.Fprintf(&users, "%s:{PLAIN}%s:%d:%d::%s::\n", u, Password, uid, gid, d.Home(u))
	}
	write(t, filepath.Join(dir, "users"), users.String())
	mechanisms := "plain login"
	if o.Introspect != "" {
		mechanisms += " oauthbearer xoauth2"
		fmt.Fprintf(&oauth, "passdb {\n  driver = oauth2\n  mechanisms = oauthbearer xoauth2\n  args = %s/oauth2.conf\n}\n", dir)
		write(t, filepath.Join(dir, "oauth2.conf"), "introspection_mode = get\nintrospection_url = "+o.Introspect+
			"\nusername_attribute = username\nusername_format = %Ln\nactive_attribute = active\nactive_value = true\n")
	}
	capability := "+"
	if len(o.Without) > 0 {
		capability = "IMAP4rev1 SASL-IR LITERAL+"
		for _, c := range []string{"IDLE", "MOVE", "UIDPLUS", "ENABLE", "NAMESPACE", "ID"} {
			if !strings.Contains(" "+strings.Join(o.Without, " ")+" ", " "+c+" ") {
				capability += " " + c
			}
		}
	}
	write(t, d.conf(), strings.NewReplacer("DIR", dir, "OWNER", owner, "GROUP", group, "IMAPPORT", fmt.Sprint(d.IMAP), "LMTPPORT", fmt.Sprint(d.LMTP),
		"MECHANISMS", mechanisms, "OAUTH\n", oauth.String(), "CAPABILITY", capability).Replace(dovecotConf))
	t.Cleanup(d.told)
	d.Start()
	t.Cleanup(d.Stop)
	return d
}

// dovecotConf runs without root: no chroot, one user for all processes.
const dovecotConf = `base_dir = DIR/run
state_dir = DIR/state
log_path = DIR/dovecot.log
protocols = imap lmtp
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_mechanisms = MECHANISMS
auth_username_format = %Ln
auth_cache_size = 0
auth_failure_delay = 0
default_internal_user = OWNER
default_internal_group = GROUP
default_login_user = OWNER
first_valid_uid = 1
first_valid_gid = 1
mail_location = maildir:~/Maildir
mail_fsync = never
mail_max_userip_connections = 1000
mailbox_idle_check_interval = 1s
recipient_delimiter = +
lmtp_save_to_detail_mailbox = no
lmtp_rcpt_check_quota = no
imap_capability = CAPABILITY
OAUTH
passdb {
  driver = passwd-file
  mechanisms = plain login
  args = DIR/users
}
userdb {
  driver = passwd-file
  args = DIR/users
}
namespace inbox {
  inbox = yes
}
service anvil {
  chroot =
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service imap-login {
  chroot =
  service_count = 0
  client_limit = 1000
  inet_listener imap {
    address = 127.0.0.1
    port = IMAPPORT
  }
  inet_listener imaps {
    port = 0
  }
}
service imap {
  process_limit = 1000
}
service lmtp {
  process_min_avail = 2
  inet_listener lmtp {
    address = 127.0.0.1
    port = LMTPPORT
  }
}
service auth {
  unix_listener auth-client {
    mode = 0600
  }
  unix_listener DIR/auth {
    mode = 0666
  }
}
service stats {
  chroot =
}
`

func (d *Dovecot) conf() string { return filepath.Join(d.dir, "dovecot.conf") }

// Home is the folder of a user.
func (d *Dovecot) Home(user string) string { return filepath.Join(d.dir, "home", user) }

// Maildir is the folder of a mailbox: new, cur, tmp and Dovecot's indexes lie
// in it. "INBOX" is the first one.
func (d *Dovecot) Maildir(user, name string) string {
	if name == "INBOX" {
		return filepath.Join(d.Home(user), "Maildir")
	}
	return filepath.Join(d.Home(user), "Maildir", "."+strings.ReplaceAll(name, "/", "."))
}

// Start serves again what Stop or Kill has ended.
func (d *Dovecot) Start() {
	d.t.Helper()
	d.p = start(d.t, syscall.SIGTERM, asNobody(d.t, command(d.t, "dovecot", "-F", "-c", d.conf())))
	d.p.listens(local(d.IMAP))
	d.p.listens(local(d.LMTP))
	d.p.listens(d.Auth)
}

// told shows what Dovecot logged of a test that failed.
func (d *Dovecot) told() {
	if !d.t.Failed() {
		return
	}
	log, _ := os.ReadFile(filepath.Join(d.dir, "dovecot.log"))
	d.t.Logf("the end of Dovecot's log:\n%s", log[max(0, len(log)-2000):])
}

// Stop ends the server with all its lines.
func (d *Dovecot) Stop() {
	d.t.Helper()
	d.p.stop(syscall.SIGTERM)
}

// Doveadm runs a command of Dovecot's own for administrators.
func (d *Dovecot) Doveadm(args ...string) string {
	d.t.Helper()
	return must(d.t, asNobody(d.t, command(d.t, "doveadm", append([]string{"-c", d.conf()}, args...)...)))
}

// Deliver gives a message to a user by LMTP, as a mail server does; from ""
// is the null path. The recipient may have a plus.
func (d *Dovecot) Deliver(from, to string, raw []byte) error {
	conn, err := net.DialTimeout("tcp", local(d.LMTP), patience)
	if err != nil {
		return err
	}
	c := textproto.NewConn(conn)
	defer c.Close()
	if _, _, err := c.ReadResponse(220); err != nil {
		return err
	}
	for _, line := range []string{"LHLO test.example", "MAIL FROM:<" + from + ">", "RCPT TO:<" + to + ">", "DATA"} {
		want := 250
		if line == "DATA" {
			want = 354
		}
		if err := c.PrintfLine("%s", line); err != nil {
			return err
		}
		if _, _, err := c.ReadResponse(want); err != nil {
			return fmt.Errorf("%s: %w", line, err)
		}
	}
	w := c.DotWriter()
	w.Write(raw)
	if err := w.Close(); err != nil {
		return err
	}
	_, _, err = c.ReadResponse(250)
	return err
}

// Messages are the octets of a mailbox's messages, in no order, without the
// fields that Dovecot's own delivery has put on top.
func (d *Dovecot) Messages(user, name string) [][]byte {
	d.t.Helper()
	var out [][]byte
	for _, sub := range []string{"new", "cur"} {
		files, err := filepath.Glob(filepath.Join(d.Maildir(user, name), sub, "*"))
		if err != nil {
			d.t.Fatal(err)
		}
		for _, f := range files {
			raw, err := os.ReadFile(f)
			if os.IsNotExist(err) { // it was moved meanwhile
				continue
			}
			if err != nil {
				d.t.Fatal(err)
			}
			out = append(out, raw)
		}
	}
	return out
}
