package sendtest

import (
	"encoding/base64"
	"strings"
)

// auth answers AUTH PLAIN (RFC 4616) and AUTH LOGIN (RFC 4954).
func (t *session) auth(arg string) bool {
	mechanism, initial, _ := strings.Cut(arg, " ")
	switch {
	case t.sink.opt.Auth == nil:
		return t.ok(StageAuth, 502, "5.5.1 nobody logs in here")
	case strings.EqualFold(mechanism, "PLAIN"):
		return t.authPlain(initial)
	case strings.EqualFold(mechanism, "LOGIN"):
		return t.authLogin(initial)
	}
	return t.ok(StageAuth, 504, "5.5.4 that mechanism is not known")
}

func (t *session) authPlain(initial string) bool {
	if initial == "" {
		var ok bool
		if initial, ok = t.ask(""); !ok {
			return false
		}
	}
	raw, err := base64.StdEncoding.DecodeString(initial)
	parts := strings.Split(string(raw), "\x00")
	if err != nil || len(parts) != 3 {
		return t.ok(StageAuth, 501, "5.5.2 that is not PLAIN")
	}
	return t.login(parts[1], parts[2])
}

func (t *session) authLogin(initial string) bool {
	user, ok := initial, true
	if user == "" {
		if user, ok = t.ask("Username:"); !ok {
			return false
		}
	}
	password, ok := t.ask("Password:")
	if !ok {
		return false
	}
	u, err1 := base64.StdEncoding.DecodeString(user)
	p, err2 := base64.StdEncoding.DecodeString(password)
	if err1 != nil || err2 != nil {
		return t.ok(StageAuth, 501, "5.5.2 that is not base64")
	}
	return t.login(string(u), string(p))
}

// ask sends a challenge and reads the answer.
func (t *session) ask(challenge string) (string, bool) {
	t.write(334, base64.StdEncoding.EncodeToString([]byte(challenge)))
	return t.readLine()
}

func (t *session) login(user, password string) bool {
	if err := t.sink.opt.Auth(user, password); err != nil {
		return t.ok(StageAuth, 535, "5.7.8 "+oneLine(err.Error()))
	}
	code, on := t.say(StageAuth, 235, "2.7.0 welcome")
	if code/100 == 2 {
		t.user = user
	}
	return on
}
