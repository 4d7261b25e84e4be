package relay

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"

	"galley/send"
	"galley/send/sendtest"
)

func certs(t *testing.T) (server, client *tls.Config) {
	t.Helper()
	server, client, err := sendtest.SelfSigned("127.0.0.1", "localhost")
	if err != nil {
		t.Fatal(err)
	}
	return server, client
}

func TestTLSAndLogin(t *testing.T) {
	server, client := certs(t)
	check := func(user, password string) error {
		if user != "press" || password != "secret" {
			return errors.New("wrong user or password")
		}
		return nil
	}
	for _, implicit := range []bool{true, false} {
		for _, mechanism := range []string{"", "PLAIN", "LOGIN"} {
			s, r := sink(t, sendtest.Options{TLS: server, Implicit: implicit, Auth: check})
			r.Security, r.TLS = STARTTLS, client
			if implicit {
				r.Security = TLS
			}
			r.Auth = &Auth{User: "press", Password: "secret", Mechanism: mechanism}
			all := deliverAll(t, open(t, r), []string{"ann@example.org", "bob@example.org"})
			must(t, all[0])
			must(t, all[1])
			if m := s.Messages(); len(m) != 2 || m[0].User != "press" || !m[0].TLS {
				t.Errorf("implicit %v, %s: %+v", implicit, mechanism, m)
			}
		}
	}
}

// TestWrongPassword is the relay's part of bar 20: a refusal at AUTH is an
// answer that concerns no recipient.
func TestWrongPassword(t *testing.T) {
	s, r := sink(t, sendtest.Options{Auth: func(string, string) error { return errors.New("wrong user or password") }})
	r.Auth = &Auth{User: "press", Password: "hush-hush"}
	_, err := r.Line(t.Context())
	var refusal *send.Refusal
	if !errors.As(err, &refusal) {
		t.Fatalf("error %v, want a refusal", err)
	}
	want := send.Outcome{Verdict: send.Never, Stage: send.StageAuth, Code: 535, Enhanced: "5.7.8",
		Transcript: "535 5.7.8 wrong user or password", Transport: true}
	if refusal.Outcome != want || strings.Contains(err.Error(), "hush") {
		t.Errorf("refusal %+v", refusal.Outcome)
	}
	if s.Stats().Mail != 0 {
		t.Error("MAIL was said")
	}
}

// recorder keeps every octet a client sends in the clear.
type recorder struct {
	mu  sync.Mutex
	got strings.Builder
}

func (c *recorder) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.got.Write(b)
}

func (c *recorder) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.got.String()
}

// TestNoPlaintext is bar 21: a next hop without STARTTLS, with a bad
// certificate, or with octets behind its 220 gets neither login nor message.
func TestNoPlaintext(t *testing.T) {
	server, _ := certs(t)
	offers := "250-raw\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN"
	tests := []struct {
		name, ehlo, startTLS string
		refused              bool
	}{
		{"not offered", "250-raw\r\n250 AUTH PLAIN LOGIN", "", true},
		{"refused", offers, "454 4.7.0 not now", true},
		{"bad certificate", offers, "220 go", false},
		{"injection", offers, "220 go\r\n250 AUTH PLAIN", true},
		{"no TLS behind it", offers, "220 go", false},
	}
	for _, test := range tests {
		var seen recorder
		r := scripted(t, func(c net.Conn) {
			in := bufio.NewReader(c)
			c.Write([]byte("220 raw\r\n"))
			for {
				line, err := in.ReadString('\n')
				if err != nil {
					return
				}
				seen.Write([]byte(line))
				if !strings.HasPrefix(line, "STARTTLS") {
					c.Write([]byte(test.ehlo + "\r\n"))
					continue
				}
				c.Write([]byte(test.startTLS + "\r\n"))
				if test.name == "bad certificate" {
					tls.Server(c, server).Handshake()
					return
				}
			}
		})
		r.Security, r.Auth = STARTTLS, &Auth{User: "press", Password: "secret"}
		r.Limits.Handshake = 1e9
		_, err := r.Line(t.Context())
		var refusal *send.Refusal
		if err == nil || errors.As(err, &refusal) != test.refused {
			t.Errorf("%s: error %v, want a refusal: %v", test.name, err, test.refused)
		}
		if refusal != nil && (refusal.Outcome.Stage != send.StageTLS || !refusal.Outcome.Transport) {
			t.Errorf("%s: %+v", test.name, refusal.Outcome)
		}
		for _, word := range []string{"AUTH", "MAIL", base64.StdEncoding.EncodeToString([]byte("secret"))} {
			if strings.Contains(seen.String(), word) {
				t.Errorf("%s: %q left in the clear: %q", test.name, word, seen.String())
			}
		}
	}
}

// elsewhere is a connection that claims to end on another machine.
type elsewhere struct{ net.Conn }

func (elsewhere) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 25} }

// TestNameThatLies: "localhost" may resolve to another machine; what counts is
// where the connection ends.
func TestNameThatLies(t *testing.T) {
	for _, security := range []Security{Plain, InsecurePlain} {
		s, r := sink(t, sendtest.Options{Auth: func(string, string) error { return nil }})
		r.Security, r.Addr = security, "localhost:25"
		if security == InsecurePlain {
			r.Auth = &Auth{User: "press", Password: "secret"}
		}
		r.Dial = func(context.Context) (net.Conn, error) {
			c, err := net.Dial("tcp", s.Addr())
			return elsewhere{c}, err
		}
		if _, err := r.Line(t.Context()); err == nil || !strings.Contains(err.Error(), "leave") {
			t.Errorf("%s: error %v", security, err)
		}
	}
}

// TestBearer logs in with tokens, against a server that first tells its reason
// in a challenge.
func TestBearer(t *testing.T) {
	tests := []struct{ offered, initial, consent string }{
		{"XOAUTH2", "user=press\x01auth=Bearer tok\x01\x01", ""},
		{"OAUTHBEARER", "n,a=press,\x01auth=Bearer tok\x01\x01", "\x01"},
		{"XOAUTH2 OAUTHBEARER", "n,a=press,\x01auth=Bearer tok\x01\x01", "\x01"},
	}
	for _, test := range tests {
		var seen recorder
		r := scripted(t, func(c net.Conn) {
			in := bufio.NewReader(c)
			c.Write([]byte("220 raw\r\n"))
			for _, answer := range []string{"250-raw\r\n250 AUTH " + test.offered, "334 eyJzdGF0dXMiOiI0MDEifQ==", "535 5.7.8 token has expired"} {
				line, _ := in.ReadString('\n')
				seen.Write([]byte(line))
				c.Write([]byte(answer + "\r\n"))
			}
			in.ReadString('\n')
		})
		r.Auth = &Auth{User: "press", Token: func(context.Context) (string, error) { return "tok", nil }}
		_, err := r.Line(t.Context())
		var refusal *send.Refusal
		if !errors.As(err, &refusal) || refusal.Outcome.Code != 535 {
			t.Errorf("%s: error %v", test.offered, err)
		}
		mechanism := test.offered[strings.LastIndexByte(test.offered, ' ')+1:]
		want := "AUTH " + mechanism + " " + base64.StdEncoding.EncodeToString([]byte(test.initial)) + "\r\n" +
			base64.StdEncoding.EncodeToString([]byte(test.consent)) + "\r\n"
		if got := seen.String(); !strings.HasSuffix(got, want) {
			t.Errorf("%s: client said %q, want %q", test.offered, got, want)
		}
	}
}

func TestNoCommonMechanism(t *testing.T) {
	_, r := sink(t, sendtest.Options{Auth: func(string, string) error { return nil }})
	r.Auth = &Auth{User: "press", Password: "secret", Mechanism: "OAUTHBEARER"}
	_, err := r.Line(t.Context())
	var refusal *send.Refusal
	if !errors.As(err, &refusal) || refusal.Outcome.Stage != send.StageAuth || !strings.Contains(err.Error(), "PLAIN LOGIN") {
		t.Errorf("error %v", err)
	}
}
