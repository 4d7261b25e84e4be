package mailbox

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-sasl"
)

// login says who we are, with a secret that is asked anew each time. A server
// that greets with PREAUTH knows already.
func (m *Mailbox) login(ctx context.Context, l *line) error {
	if l.c.State() != imap.ConnStateNotAuthenticated {
		l.mechanism = "preauth"
		return nil
	}
	caps, err := l.capabilities(ctx)
	if err != nil {
		return err
	}
	if l.mechanism, err = m.choose(caps); err != nil {
		return &loginError{err}
	}
	if m.Password == nil {
		return &loginError{errors.New("there is no password: set one of password_file, password_env, password_command")}
	}
	secret, err := m.Password(ctx)
	if err != nil {
		return &loginError{fmt.Errorf("password: %w", err)}
	}
	err = l.do(ctx, "login", commandTime, func() error { return m.authenticate(l, secret) })
	if err == nil {
		return nil
	}
	err = redact(err, m.User, secret)
	if ctx.Err() != nil || !refused(err) && l.closed() {
		return err // the line's fault, not the password's
	}
	return &loginError{err}
}

// loginError is a login that was refused: it is retried more slowly, because
// servers lock accounts.
type loginError struct{ err error }

func (e *loginError) Error() string { return e.err.Error() }
func (e *loginError) Unwrap() error { return e.err }

// choose is the mechanism to log in with.
func (m *Mailbox) choose(caps imap.CapSet) (string, error) {
	switch mechanism := strings.ToLower(m.Mechanism); {
	case mechanism == "plain", mechanism == "login", mechanism == "xoauth2", mechanism == "oauthbearer":
		return mechanism, nil
	case mechanism != "":
		return "", fmt.Errorf("mechanism %q: it is one of plain, login, xoauth2, oauthbearer", m.Mechanism)
	case caps.Has(imap.AuthCap(sasl.Plain)):
		return "plain", nil
	case !caps.Has(imap.CapLoginDisabled): // RFC 9051 section 6.2.3
		return "login", nil
	}
	return "", fmt.Errorf("the server takes neither PLAIN nor LOGIN on this connection (it offers %s): use tls or starttls, or set the mechanism",
		strings.Join(caps.AuthMechanisms(), " "))
}

func (m *Mailbox) authenticate(l *line, secret string) error {
	switch l.mechanism {
	case "login":
		return l.c.Login(m.User, secret).Wait()
	case "xoauth2":
		return l.c.Authenticate(&xoauth2{user: m.User, token: secret})
	case "oauthbearer":
		return l.c.Authenticate(sasl.NewOAuthBearerClient(m.bearer(secret)))
	}
	return l.c.Authenticate(sasl.NewPlainClient("", m.User, secret))
}

// bearer are the words of RFC 7628 section 3.1.
func (m *Mailbox) bearer(token string) *sasl.OAuthBearerOptions {
	host, port, _ := net.SplitHostPort(m.Addr) // both are optional
	number, _ := strconv.Atoi(port)
	return &sasl.OAuthBearerOptions{Username: m.User, Token: token, Host: host, Port: number}
}

// xoauth2 is the mechanism that Google and Microsoft had before RFC 7628.
type xoauth2 struct{ user, token string }

// Start gives the user and the token.
func (x *xoauth2) Start() (mechanism string, response []byte, err error) {
	return "XOAUTH2", []byte("user=" + x.user + "\x01auth=Bearer " + x.token + "\x01\x01"), nil
}

// Next gets the reason for a refusal, in JSON. An error, and not an empty
// answer, keeps it: the library would send "=", and servers complain about
// that instead.
func (x *xoauth2) Next(challenge []byte) ([]byte, error) {
	var reason struct {
		Status string `json:"status"`
	}
	if err := json.Unmarshal(challenge, &reason); err != nil {
		reason.Status = "without a reason"
	}
	return nil, &Refusal{Command: "login", Text: "XOAUTH2 refused, status " + oneLine(reason.Status) + ": is the token still good?"}
}

// redact leaves the server's words out of an error when they hold the
// secret: some servers repeat the command that they refuse.
func redact(err error, user, secret string) error {
	if secret == "" || !revealing(err.Error(), user, secret) {
		return err
	}
	const left = "the server's words are left out, because they hold the secret"
	if refused(err) {
		return &Refusal{Command: "login", Text: left}
	}
	return errors.New("login: " + left)
}

// revealing reports that text holds the secret in one of the forms in which
// it goes over the wire.
func revealing(text, user, secret string) bool {
	quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(secret)
	forms := []string{secret, quoted}
	for _, raw := range []string{secret, "\x00" + user + "\x00" + secret, user + "\x00" + user + "\x00" + secret} {
		forms = append(forms, base64.RawStdEncoding.EncodeToString([]byte(raw)))
	}
	for _, form := range forms {
		if strings.Contains(text, form) {
			return true
		}
	}
	return false
}
