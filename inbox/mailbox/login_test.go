package mailbox

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"math/big"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"galley/inbox/inboxtest"
)

func TestMechanisms(t *testing.T) {
	for _, c := range []struct {
		options              inboxtest.Options
		mechanism, secret    string
		want, says, complain string
	}{
		{inboxtest.Options{}, "", "secret", "plain", "AUTHENTICATE", ""},
		{inboxtest.Options{NoPlain: true}, "", "secret", "login", "LOGIN", ""},
		{inboxtest.Options{}, "login", "secret", "login", "LOGIN", ""},
		{inboxtest.Options{Token: "tok-en"}, "xoauth2", "tok-en", "xoauth2", "AUTHENTICATE", ""},
		{inboxtest.Options{Token: "tok-en"}, "oauthbearer", "tok-en", "oauthbearer", "AUTHENTICATE", ""},
		{inboxtest.Options{}, "", "wrong-one", "", "", "AUTHENTICATIONFAILED"},
		{inboxtest.Options{NoPlain: true}, "", "wrong-one", "", "", "AUTHENTICATIONFAILED"},
		{inboxtest.Options{Token: "tok-en"}, "xoauth2", "wrong-one", "", "", "status 400"},
		{inboxtest.Options{Token: "tok-en"}, "oauthbearer", "wrong-one", "", "", "401"},
		{inboxtest.Options{}, "kerberos", "wrong-one", "", "", "it is one of plain"},
	} {
		t.Run(c.mechanism+c.secret, func(t *testing.T) {
			bubble(t, c.options, func(t *testing.T, h *house) {
				h.m.Mechanism = c.mechanism
				h.m.Password = func(context.Context) (string, error) { return c.secret, nil }
				r, err := h.m.Check(t.Context())
				if c.complain != "" {
					if err == nil || !strings.Contains(err.Error(), c.complain) || strings.Contains(err.Error(), c.secret) {
						t.Errorf("Check: %v", err)
					}
					return
				}
				if err != nil || r.Mechanism != c.want || len(h.said(c.says)) != 1 {
					t.Errorf("%+v, %v", r, err)
				}
			})
		})
	}
}

// A login that is refused is tried again more and more slowly, and the secret
// is asked for each time: it may be a token that has run out.
func TestLoginRefused(t *testing.T) {
	bubble(t, inboxtest.Options{}, func(t *testing.T, h *house) {
		asked := 0
		h.m.Password = func(context.Context) (string, error) { asked++; return "not-the-secret", nil }
		h.quiet(t, time.Hour)
		if asked < 15 || asked > 30 {
			t.Errorf("asked %d times in an hour", asked)
		}
		if n := strings.Count(h.log.String(), "level=WARN"); n != 1 {
			t.Errorf("%d warnings:\n%s", n, h.log)
		}
		h.m.Password = func(context.Context) (string, error) { return "", errors.New("the command failed") }
		h.quiet(t, 20*time.Minute)
		if s := h.m.Status().Err; !strings.Contains(s, "the command failed") {
			t.Errorf("status: %s", s)
		}
		h.m.Password = func(context.Context) (string, error) { return "secret", nil }
		h.deliver(t, 1, 1)
		h.next(t, 5*time.Minute)
	})
}

// Some servers repeat the line that they refuse.
func TestSecretIsNotTold(t *testing.T) {
	const secret = `hush "quoted" hush`
	echoes := map[string]string{
		"plain":  secret,
		"quoted": `LOGIN galley "hush \"quoted\" hush"`,
		"base64": base64.StdEncoding.EncodeToString([]byte("\x00galley\x00" + secret)),
	}
	for name, echo := range echoes {
		t.Run(name, func(t *testing.T) {
			bubble(t, inboxtest.Options{}, func(t *testing.T, h *house) {
				h.m.Password = func(context.Context) (string, error) { return secret, nil }
				h.Refuse("LOGIN", "AUTHENTICATIONFAILED", "no: "+echo)
				_, err := h.m.Check(t.Context())
				if err == nil || strings.Contains(err.Error(), echo) || !strings.Contains(err.Error(), "left out") {
					t.Errorf("Check: %v", err)
				}
				h.quiet(t, time.Minute)
				if strings.Contains(h.log.String(), "hush") || strings.Contains(h.m.Status().Err, "hush") {
					t.Errorf("log:\n%s", h.log)
				}
			})
		})
	}
}

func TestCheck(t *testing.T) {
	bubble(t, inboxtest.Options{NoMove: true, UIDValidity: 12}, func(t *testing.T, h *house) {
		h.deliver(t, 1, 3)
		r, err := h.m.Check(t.Context())
		if err != nil || r.Protection != "none" || r.Messages != 3 || r.UIDValidity != 12 || r.Folder != "INBOX" ||
			r.Move || !r.UIDPlus || !r.Idle || !r.Keywords || !slices.Contains(r.Caps, "IMAP4rev1") {
			t.Errorf("%+v, %v", r, err)
		}
		h.m.Folder = "Elsewhere"
		if _, err := h.m.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "SELECT Elsewhere") {
			t.Errorf("a folder that is missing: %v", err)
		}
	})
}

// certificate makes one for localhost, and the pool that trusts it.
func certificate(t *testing.T) (*tls.Config, *x509.CertPool) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, pool
}

// reach builds a mailbox that talks to a real port.
func reach(t *testing.T, options inboxtest.Options, security Security) *house {
	h := build(t, options)
	t.Cleanup(h.close)
	addr, err := h.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(addr)
	h.m.Addr, h.m.Dial, h.m.Security = "localhost:"+port, nil, security
	return h
}

func TestTLS(t *testing.T) {
	config, pool := certificate(t)
	for _, security := range []Security{TLS, StartTLS, ""} {
		t.Run(string(security), func(t *testing.T) {
			h := reach(t, inboxtest.Options{TLS: config, StartTLS: security == StartTLS}, security)
			if _, err := h.m.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "certificate") {
				t.Errorf("an unknown certificate: %v", err)
			}
			h.m.TLS = &tls.Config{RootCAs: pool, ServerName: "mail.example.org"}
			if _, err := h.m.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "mail.example.org") {
				t.Errorf("a certificate for another name: %v", err)
			}
			h.m.TLS = &tls.Config{RootCAs: pool}
			if r, err := h.m.Check(t.Context()); err != nil || !strings.HasPrefix(r.Protection, "TLS") {
				t.Errorf("%+v, %v", r, err)
			}
			h.deliver(t, 1, 2)
			if batch := h.next(t, 10*time.Second); len(batch) != 2 {
				t.Errorf("%d messages", len(batch))
			}
			if err := h.m.Done(t.Context(), 1, []uint32{1}, "Galley"); err != nil {
				t.Error(err)
			}
			if len(h.where(t, "Galley")) != 1 {
				t.Error("not filed")
			}
		})
	}
}

// Nothing is said in the clear where TLS was asked for.
func TestNoDowngrade(t *testing.T) {
	for _, security := range []Security{TLS, StartTLS} {
		h := reach(t, inboxtest.Options{}, security)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if _, err := h.m.Check(ctx); err == nil || len(h.said("AUTHENTICATE"))+len(h.said("LOGIN")) > 0 {
			t.Errorf("%s: %v, %v", security, err, h.Commands())
		}
	}
	config, _ := certificate(t)
	h := reach(t, inboxtest.Options{TLS: config, StartTLS: true}, Plain)
	if _, err := h.m.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "use tls or starttls") {
		t.Errorf("LOGINDISABLED: %v", err)
	}
}

type elsewhere struct{ net.Conn }

func (elsewhere) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 143} }

func TestPlainOnlyHere(t *testing.T) {
	bubble(t, inboxtest.Options{}, func(t *testing.T, h *house) {
		h.m.Dial = func(ctx context.Context) (net.Conn, error) {
			conn, err := h.Dial(ctx)
			return elsewhere{conn}, err
		}
		_, err := h.m.Check(t.Context())
		if err == nil || !strings.Contains(err.Error(), "use tls or starttls") || len(h.Commands()) > 0 {
			t.Errorf("Check: %v, %v", err, h.Commands())
		}
	})
	h := reach(t, inboxtest.Options{}, Plain)
	if _, err := h.m.Check(t.Context()); err != nil {
		t.Errorf("on loopback: %v", err)
	}
}

// A real reset and a real silence, on TCP.
func TestTCP(t *testing.T) {
	h := reach(t, inboxtest.Options{}, Plain)
	h.deliver(t, 1, 1)
	h.next(t, 10*time.Second)
	h.Reset()
	h.deliver(t, 2, 2)
	h.next(t, 10*time.Second)
	time.AfterFunc(50*time.Millisecond, func() { h.deliver(t, 3, 3) })
	start := time.Now()
	h.next(t, 10*time.Second)
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("IDLE woke after %v", d)
	}
}
