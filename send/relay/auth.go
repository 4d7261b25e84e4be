package relay

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/emersion/go-sasl"

	"galley/send"
)

// Auth is a login at the next hop.
type Auth struct {
	User     string
	Password string
	// Secret gives the password in place of Password when it is not nil. It is
	// asked once a connection, so that a changed one is found.
	Secret func(ctx context.Context) (string, error)
	// Token gives an OAuth 2.0 access token when it is not nil; the password
	// is not used then. It is asked once a connection.
	Token func(ctx context.Context) (string, error)
	// Mechanism is PLAIN, LOGIN, XOAUTH2 or OAUTHBEARER; when empty the best
	// that the next hop offers.
	Mechanism string
}

// authRounds bounds the challenges of one login.
const authRounds = 8

// login runs AUTH (RFC 4954). The credentials are in no error and in no
// transcript.
func (l *line) login(ctx context.Context, r *Relay) error {
	mechanism := r.Auth.choose(l.ext.auth)
	if mechanism == "" {
		return l.missing(send.StageAuth, fmt.Sprintf("next hop offers no login that we know (%s)", strings.Join(l.ext.auth, " ")))
	}
	client, err := r.Auth.client(ctx, mechanism)
	if err != nil {
		return fmt.Errorf("next hop %s: login: %w", r.Addr, err)
	}
	name, initial, err := client.Start()
	if err != nil {
		return fmt.Errorf("next hop %s: login: %w", r.Addr, err)
	}
	cmd := "AUTH " + name
	if initial != nil {
		cmd += " " + encode(initial)
	}
	return l.exchange(client, cmd)
}

// exchange answers challenges until the next hop decides.
func (l *line) exchange(client sasl.Client, cmd string) error {
	for range authRounds {
		var challenge string
		rep, err := l.command(l.limits.Greeting, []byte(cmd+"\r\n"),
			func(text []byte) { challenge = string(text) })
		switch {
		case err != nil:
			return l.fault(send.StageAuth, err)
		case rep.code/100 == 2:
			return nil
		case rep.code != 334:
			return &send.Refusal{Outcome: rep.outcome(send.StageAuth)}
		}
		cmd = answer(client, challenge)
	}
	return l.missing(send.StageAuth, "next hop asks without end while we log in")
}

// answer is the line that answers a challenge, "*" to give up (RFC 4954
// section 4).
func answer(client sasl.Client, challenge string) string {
	raw, err := base64.StdEncoding.DecodeString(challenge)
	if err != nil {
		return "*"
	}
	response, err := client.Next(raw)
	if err != nil {
		return "*"
	}
	return base64.StdEncoding.EncodeToString(response)
}

// encode writes an initial response; an empty one is "=" (RFC 4954 section 4).
func encode(b []byte) string {
	if len(b) == 0 {
		return "="
	}
	return base64.StdEncoding.EncodeToString(b)
}

// choose picks the mechanism, "" when there is none in common.
func (a *Auth) choose(offered []string) string {
	able := []string{sasl.Plain, sasl.Login}
	if a.Token != nil {
		able = []string{sasl.OAuthBearer, "XOAUTH2"}
	}
	if a.Mechanism != "" {
		able = []string{strings.ToUpper(a.Mechanism)}
	}
	for _, name := range able {
		if slices.Contains(offered, name) {
			return name
		}
	}
	return ""
}

func (a *Auth) client(ctx context.Context, mechanism string) (sasl.Client, error) {
	switch mechanism {
	case sasl.Plain, sasl.Login:
		return a.password(ctx, mechanism)
	case sasl.OAuthBearer, "XOAUTH2":
		return a.bearer(ctx, mechanism)
	}
	return nil, fmt.Errorf("mechanism %q is not known; use PLAIN, LOGIN, XOAUTH2 or OAUTHBEARER", mechanism)
}

func (a *Auth) password(ctx context.Context, mechanism string) (sasl.Client, error) {
	password := a.Password
	if a.Secret != nil {
		var err error
		if password, err = a.Secret(ctx); err != nil {
			return nil, fmt.Errorf("password: %w", err)
		}
	}
	if mechanism == sasl.Plain {
		return sasl.NewPlainClient("", a.User, password), nil
	}
	return &login{answers: []string{a.User, password}}, nil
}

func (a *Auth) bearer(ctx context.Context, mechanism string) (sasl.Client, error) {
	if a.Token == nil {
		return nil, fmt.Errorf("%s needs an access token, and none is configured", mechanism)
	}
	token, err := a.Token(ctx)
	if err != nil {
		return nil, fmt.Errorf("access token: %w", err)
	}
	if mechanism == sasl.OAuthBearer {
		_, initial, err := sasl.NewOAuthBearerClient(&sasl.OAuthBearerOptions{Username: a.User, Token: token}).Start()
		return &bearer{mechanism, initial, []byte{1}}, err
	}
	initial := "user=" + a.User + "\x01auth=Bearer " + token + "\x01\x01"
	return &bearer{mechanism, []byte(initial), nil}, nil
}

// login answers the two questions of AUTH LOGIN in their order, whatever their
// words are. go-sasl's client wants the second to be exactly "Password:".
type login struct{ answers []string }

func (c *login) Start() (string, []byte, error) { return sasl.Login, nil, nil }

func (c *login) Next([]byte) ([]byte, error) {
	if len(c.answers) == 0 {
		return nil, sasl.ErrUnexpectedServerChallenge
	}
	next := c.answers[0]
	c.answers = c.answers[1:]
	return []byte(next), nil
}

// bearer sends a token. A challenge to it is the reason of a refusal, and must
// be answered before the refusal itself comes (RFC 7628 section 3.2.3).
type bearer struct {
	mechanism        string
	initial, consent []byte
}

func (c *bearer) Start() (string, []byte, error) { return c.mechanism, c.initial, nil }

func (c *bearer) Next([]byte) ([]byte, error) { return c.consent, nil }
