package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"galley/send/servertest"
)

// TestRealLogins logs in at Dovecot, and at Postfix which asks Dovecot, in every
// way there is, with a password from a file or a token from a command; a bad
// one is told as such, and never shown.
func TestRealLogins(t *testing.T) {
	servertest.Need(t, "dovecot", "postfix")
	bank := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		good := r.URL.Query().Get("token") == "a-fresh-token"
		json.NewEncoder(w).Encode(map[string]string{"active": fmt.Sprint(good), "username": "letter"})
	}))
	t.Cleanup(bank.Close)
	d := servertest.StartDovecot(t, servertest.DovecotOptions{Users: []string{"letter"}, Introspect: bank.URL + "/?token="})
	p := servertest.StartPostfix(t, servertest.PostfixOptions{Dovecot: d, Domains: []string{realDomain}})
	for _, c := range []struct {
		mechanism, secret string
		good              bool
	}{
		{"plain", `password = "` + servertest.Password + `"`, true}, {"login", `password = "` + servertest.Password + `"`, true}, {"", `password = "` + servertest.Password + `"`, true},
		{"xoauth2", `password_command = "echo a-fresh-token"`, true}, {"oauthbearer", `password_command = "echo a-fresh-token"`, true},
		{"plain", `password = "another-one"`, false}, {"xoauth2", `password_command = "echo a-stale-token"`, false}, {"oauthbearer", `password_command = "echo a-stale-token"`, false},
	} {
		t.Run(fmt.Sprintf("%s/%v", c.mechanism, c.good), func(t *testing.T) {
			h := realHouse(t, fmt.Sprintf("mechanism = %q\n%s\n", c.mechanism, c.secret), d.IMAP, p.Submission)
			for _, f := range []finding{checkRelay(context.Background(), h.relay), checkMailbox(context.Background(), "rct", h.boxes[0])} {
				if good := f.State == stateOK; good != c.good {
					t.Errorf("%+v", f)
				}
				if !c.good && !strings.Contains(strings.ToLower(f.What+f.Remedy), "password") && !strings.Contains(f.What, "token") {
					t.Errorf("it does not say what to mend: %+v", f)
				}
				for _, secret := range []string{"another-one", "a-stale-token"} {
					if strings.Contains(f.What+f.Remedy, secret) {
						t.Errorf("it shows the secret: %+v", f)
					}
				}
			}
		})
	}
}

// realHouse builds the parts for servers on this machine; login goes into both
// tables.
func realHouse(t *testing.T, login string, imap, smtp int) *house {
	t.Helper()
	config := filepath.Join(t.TempDir(), "galley.toml")
	put(t, config, fmt.Sprintf(`[smtp]
host = "127.0.0.1"
port = %d
security = "plain"
user = "letter"
%s
[[newsletter]]
id = "rct"
name = "Research Computing Teams"
address = %q
editors = [%q]
[newsletter.imap]
host = "127.0.0.1"
port = %d
security = "plain"
user = "letter"
%s
`, smtp, login, realBox, realEditor, imap, login), 0o600)
	cfg, err := Load(config)
	if err != nil {
		t.Fatal(err)
	}
	h, err := build(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.close() })
	return h
}
