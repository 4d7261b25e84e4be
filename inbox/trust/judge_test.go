package trust

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"
)

// post is a little post office for tests: an editor with a key.
type post struct {
	key  ed25519.PrivateKey
	zone map[string]string
	now  time.Time
}

func newPost(t *testing.T) *post {
	t.Helper()
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	record := "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(pub)
	return &post{key: key, now: written.Add(time.Minute), zone: map[string]string{"s._domainkey.lab.example": record}}
}

// written is when the editor's mail was: the library signs with the real time.
var written = time.Now().UTC().Truncate(time.Second)

var editorMail = "From: Ada <ada@lab.example>\r\nTo: news@grid.example\r\nSubject: Re: Proof\r\nDate: " + written.Format(time.RFC1123Z) + "\r\nMessage-ID: <1@lab.example>\r\nMIME-Version: 1.0\r\n\r\napprove\r\n"

var allKeys = []string{"From", "To", "Subject", "Date", "Message-ID", "MIME-Version"}

func (p *post) sign(t *testing.T, msg, domain string, keys []string) string {
	t.Helper()
	var out bytes.Buffer
	err := dkim.Sign(&out, strings.NewReader(msg), &dkim.SignOptions{Domain: domain, Selector: "s", Signer: p.key, HeaderKeys: keys,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed})
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func (p *post) policy() Policy {
	return Policy{Editors: []string{"Ada@lab.example"}, Now: p.now, DNS: zone(p.zone)}
}

// TestJudgeOwnDKIM is bar 72 and what stands around it.
func TestJudgeOwnDKIM(t *testing.T) {
	p := newPost(t)
	good := p.sign(t, editorMail, "lab.example", allKeys)
	for _, x := range []struct {
		name, mail string
		change     func(*Policy, *post)
		want       string
	}{
		{"good", good, nil, "pass"},
		{"bare line feeds", strings.ReplaceAll(good, "\r\n", "\n"), nil, "pass"},
		{"body changed", strings.Replace(good, "approve", "cancel!", 1), nil, "none"},
		{"body changed, the domain enforces", strings.Replace(good, "approve", "cancel!", 1), func(_ *Policy, p *post) { p.zone["_dmarc.lab.example"] = "v=DMARC1; p=reject" }, "fail"},
		{"unsigned, the domain enforces", editorMail, func(_ *Policy, p *post) { p.zone["_dmarc.lab.example"] = "v=DMARC1; p=quarantine" }, "fail"},
		{"unsigned", editorMail, nil, "none"},
		{"second From", "From: eve@evil.example\r\n" + good, nil, "none"},
		{"second Subject", "Subject: approve all\r\n" + good, nil, "none"},
		{"Subject not signed", p.sign(t, editorMail, "lab.example", []string{"From", "To", "Date", "Message-ID", "MIME-Version"}), nil, "none"},
		{"MIME-Version not signed", p.sign(t, editorMail, "lab.example", allKeys[:5]), nil, "none"},
		{"key in test mode", good, func(_ *Policy, p *post) { p.zone["s._domainkey.lab.example"] += "; t=y" }, "none"},
		{"key gone", good, func(_ *Policy, p *post) { delete(p.zone, "s._domainkey.lab.example") }, "none"},
		{"too old", good, func(q *Policy, _ *post) { q.Now = q.Now.Add(8 * 24 * time.Hour) }, "none"},
		{"from the future", good, func(q *Policy, _ *post) { q.Now = q.Now.Add(-time.Hour) }, "none"},
		{"replayed", good, func(q *Policy, _ *post) { q.Seen = func(string) bool { return true } }, "none"},
		{"DNS does not answer", good, func(q *Policy, _ *post) {
			q.DNS = func(context.Context, string) ([]string, error) { return nil, errors.New("i/o timeout") }
		}, "temperror"},
		{"pinned elsewhere", good, func(q *Policy, _ *post) { q.Pinned = map[string][]string{"ada@lab.example": {"other.example"}} }, "none"},
		{"pinned here", good, func(q *Policy, _ *post) { q.Pinned = map[string][]string{"ada@LAB.example": {"lab.example"}} }, "pass"},
		{"somebody else's domain", p.sign(t, editorMail, "evil.example", allKeys), func(_ *Policy, p *post) { p.zone["s._domainkey.evil.example"] = p.zone["s._domainkey.lab.example"] }, "none"},
		{"nine signatures", nine(p, t), nil, "none"},
		{"a good one over eight of others", eight(p, t), nil, "none"},
		{"no Subject at all, none signed", p.sign(t, strings.Replace(editorMail, "Subject: Re: Proof\r\n", "", 1), "lab.example", []string{"From", "To", "Date", "Message-ID", "MIME-Version"}), nil, "none"},
	} {
		q := newPost(t)
		q.key, q.zone = p.key, map[string]string{"s._domainkey.lab.example": p.zone["s._domainkey.lab.example"]}
		policy := q.policy()
		if x.change != nil {
			x.change(&policy, q)
		}
		ev := Judge(context.Background(), []byte(x.mail), policy)
		if ev.E != x.want {
			t.Errorf("%s: %+v, want %s", x.name, ev, x.want)
		}
		if ev.E == "pass" && (ev.By != "dkim" || ev.Domain != "lab.example" || ev.Selector != "s" || !ev.Editor || len(ev.Replay) != 1) {
			t.Errorf("%s: %+v", x.name, ev)
		}
	}
}

func nine(p *post, t *testing.T) string {
	msg := editorMail
	for range 9 {
		msg = p.sign(t, msg, "lab.example", allKeys)
	}
	return msg
}

func eight(p *post, t *testing.T) string {
	msg := editorMail
	for range 8 {
		msg = p.sign(t, msg, "evil.example", allKeys)
	}
	return p.sign(t, msg, "lab.example", allKeys)
}

// TestDKIMGates: l= and x= by the clock of the policy.
func TestDKIMGates(t *testing.T) {
	p := newPost(t)
	var out bytes.Buffer
	err := dkim.Sign(&out, strings.NewReader(editorMail), &dkim.SignOptions{Domain: "lab.example", Selector: "s", Signer: p.key, HeaderKeys: allKeys, Expiration: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		now  time.Time
		want string
	}{{time.Now(), "pass"}, {time.Now().Add(2 * time.Hour), "neutral"}} {
		got := DKIM(context.Background(), out.Bytes(), Policy{DNS: zone(p.zone), Now: x.now})
		if len(got) != 1 || got[0].Result != x.want {
			t.Errorf("%v: %+v", x.now, got)
		}
	}
	short := strings.Replace(p.sign(t, editorMail, "lab.example", allKeys), "s=s;", "s=s; l=3;", 1)
	if got := DKIM(context.Background(), []byte(short), Policy{DNS: zone(p.zone), Now: p.now}); got[0].Result != "policy" {
		t.Errorf("l=: %+v", got)
	}
}

// TestMutants: every change of a signed field or of the body is seen.
func TestMutants(t *testing.T) {
	p := newPost(t)
	good := p.sign(t, editorMail, "lab.example", append(slices.Clone(allKeys), allKeys...))
	n := 0
	for _, name := range allKeys {
		at := strings.Index(good, "\r\n"+name+":") + 2
		end := at + strings.Index(good[at:], "\r\n") + 2
		for _, mutant := range []string{good[:end-3] + "x" + good[end-2:], good[:at] + good[end:], good[:end] + good[at:end] + good[end:]} {
			n++
			if got := DKIM(context.Background(), []byte(mutant), p.policy()); got[0].Result == "pass" {
				t.Errorf("%s changed, and it passes:\n%s", name, mutant)
			}
		}
	}
	t.Logf("%d mutants seen", n)
}

// TestJudgeAuthResults weighs what servers wrote.
func TestJudgeAuthResults(t *testing.T) {
	p := newPost(t)
	signed := p.sign(t, editorMail, "lab.example", allKeys)
	broken := strings.Replace(signed, "approve", "approve!", 1)
	received := "Received: from out.lab.example by mx.grid.example with ESMTPS; Tue, 14 Jul 2026 11:59:30 +0000\r\n"
	ar := func(rest string) string { return "Authentication-Results: mx.grid.example; " + rest + "\r\n" }
	for _, x := range []struct{ name, mail, want, by string }{
		{"dmarc=pass", ar("dmarc=pass header.from=lab.example") + received + editorMail, "pass", "authres"},
		{"dkim=pass", ar("dkim=pass header.d=lab.example") + received + editorMail, "pass", "authres"},
		{"dkim=pass of another", ar("dkim=pass header.d=evil.example") + received + editorMail, "none", ""},
		{"dmarc=pass of another From", ar("dmarc=pass header.from=evil.example") + received + editorMail, "none", ""},
		{"dmarc=fail", ar("dmarc=fail header.from=lab.example") + received + editorMail, "fail", "authres"},
		{"another server", strings.ReplaceAll(ar("dmarc=pass header.from=lab.example"), "mx.grid", "mx.evil") + received + editorMail, "none", ""},
		{"ours below a foreign one", received + "Authentication-Results: mx.evil.example; none\r\n" + ar("dmarc=pass header.from=lab.example") + editorMail, "none", ""},
		{"laid in by APPEND", ar("dmarc=pass header.from=lab.example") + editorMail, "none", ""},
		{"two that disagree", ar("dmarc=pass header.from=lab.example") + ar("dmarc=fail header.from=lab.example") + received + editorMail, "none", ""},
		{"injected by MAIL FROM", ar(`spf=pass smtp.mailfrom="x; dmarc=pass header.from=lab.example"@evil.example`) + received + editorMail, "none", ""},
		{"own signature outweighs a fail", ar("dmarc=fail header.from=lab.example") + received + signed, "pass", "dkim"},
		{"a broken signature outweighs a pass", ar("dmarc=pass header.from=lab.example") + received + broken, "none", ""},
	} {
		policy := p.policy()
		policy.AuthservIDs = []string{"MX.grid.example"}
		ev := Judge(context.Background(), []byte(x.mail), policy)
		if ev.E != x.want || ev.By != x.by {
			t.Errorf("%s: %+v, want %s by %q", x.name, ev, x.want, x.by)
		}
	}
}

// TestAligned: a domain above the From speaks for it, the public suffix and
// the domain below do not.
func TestAligned(t *testing.T) {
	for _, x := range []struct {
		from, d string
		want    bool
	}{{"a@x.lab.example", "lab.example", true}, {"a@lab.example", "x.lab.example", false}, {"a@lab.co.uk", "co.uk", false}, {"a@xlab.example", "lab.example", false}} {
		j := &judge{from: x.from}
		if got := j.aligned(x.d); got != x.want {
			t.Errorf("%s by %s: %v", x.from, x.d, got)
		}
	}
}

// TestSubdomainPolicy: sp= counts for a From below the record.
func TestSubdomainPolicy(t *testing.T) {
	for record, want := range map[string]string{"v=DMARC1; p=none; sp=reject": "fail", "v=DMARC1; p=reject; sp=none": "none", "v=spf1 -all": "none"} {
		p := newPost(t)
		p.zone["_dmarc.lab.example"] = record
		mail := strings.Replace(editorMail, "ada@lab.example", "ada@x.lab.example", 1)
		if ev := Judge(context.Background(), []byte(mail), p.policy()); ev.E != want {
			t.Errorf("%s: %+v", record, ev)
		}
	}
}

func FuzzDKIM(f *testing.F) {
	f.Add([]byte("DKIM-Signature: v=1; a=rsa-sha256; d=a.example; s=s; h=from; bh=; b=AA==\r\nFrom: a@a.example\r\n\r\nx"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		dns := func(context.Context, string) ([]string, error) {
			return []string{"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="}, nil
		}
		for _, r := range DKIM(context.Background(), raw, Policy{DNS: dns, Now: time.Unix(1700000000, 0)}) {
			if r.Result == "pass" || r.Result == "" {
				t.Errorf("%+v", r)
			}
		}
		_ = fmt.Sprint(Judge(context.Background(), raw, Policy{DNS: dns}))
	})
}

// Who may be pinned for an editor: whoever signs for the address, else whoever
// signs, and nobody when a gate is shut.
func TestSigners(t *testing.T) {
	p := newPost(t)
	p.zone["s._domainkey.provider.example"] = p.zone["s._domainkey.lab.example"]
	own, foreign := p.sign(t, editorMail, "lab.example", allKeys), p.sign(t, editorMail, "provider.example", allKeys)
	for name, x := range map[string]struct {
		mail string
		want []string
	}{
		"the own domain":      {own, []string{"lab.example"}},
		"the provider":        {foreign, []string{"provider.example"}},
		"both":                {p.sign(t, own, "provider.example", allKeys), []string{"lab.example"}},
		"nobody":              {editorMail, nil},
		"broken":              {strings.Replace(foreign, "approve", "approve!", 1), nil},
		"covers no Subject":   {p.sign(t, editorMail, "provider.example", []string{"From", "To", "Date", "Message-ID", "MIME-Version"}), nil},
		"a second Subject":    {"Subject: hello\r\n" + foreign, nil},
		"no strict From":      {"From: eve@evil.example\r\n" + foreign, nil},
		"its key is for test": {p.sign(t, editorMail, "test.example", allKeys), nil},
	} {
		p.zone["s._domainkey.test.example"] = p.zone["s._domainkey.lab.example"] + "; t=y"
		ev := Judge(t.Context(), []byte(x.mail), p.policy())
		if !slices.Equal(ev.Signers, x.want) {
			t.Errorf("%s: %v may be pinned, not %v", name, ev.Signers, x.want)
		}
	}
	// Pinned domains are the only ones that prove, and a new one can be pinned still.
	q := p.policy()
	q.Pinned = map[string][]string{"ada@lab.example": {"provider.example"}}
	if ev := Judge(t.Context(), []byte(foreign), q); ev.E != "pass" || ev.Domain != "provider.example" {
		t.Errorf("the pinned provider proves %s", ev.E)
	}
	if ev := Judge(t.Context(), []byte(own), q); ev.E == "pass" || !slices.Equal(ev.Signers, []string{"lab.example"}) {
		t.Errorf("a domain that is not pinned proves %s, and %v may be", ev.E, ev.Signers)
	}
}

// TestBentSignatures: a signature that is the editor's, or nearly, on a mail
// that a forger bent or with a key record that proves nothing.
func TestBentSignatures(t *testing.T) {
	p := newPost(t)
	good := p.sign(t, editorMail, "lab.example", allKeys)
	record := p.zone["s._domainkey.lab.example"]
	swap := func(old, new string) string { return strings.Replace(good, old, new, 1) }
	for name, x := range map[string]struct{ mail, record string }{
		"a tag twice":                   {swap("a=ed25519-sha256;", "a=ed25519-sha256; a=ed25519-sha256;"), record},
		"i= elsewhere":                  {swap("a=ed25519-sha256;", "a=ed25519-sha256; i=@evil.example;"), record},
		"i= below, not signed so":       {swap("a=ed25519-sha256;", "a=ed25519-sha256; i=@x.lab.example;"), record},
		"l=0 slipped in":                {swap("a=ed25519-sha256;", "a=ed25519-sha256; l=0;"), record},
		"x= slipped in":                 {swap("a=ed25519-sha256;", "a=ed25519-sha256; x=99999999999;"), record},
		"another algorithm":             {swap("ed25519-sha256", "rsa-sha256"), record},
		"no algorithm":                  {swap("a=ed25519-sha256;", ""), record},
		"another version":               {swap("v=1", "v=2"), record},
		"the selector ends the name":    {swap("s=s;", "s=s\x00;"), record},
		"the selector has a path":       {swap("s=s;", "s=s/x;"), record},
		"the selector is empty":         {swap("s=s;", "s=;"), record},
		"the domain has a dot too many": {swap("d=lab.example", "d=lab.example."), record},
		"the domain is the top one":     {swap("d=lab.example", "d=example"), record},
		"From is not in h=":             {swap("From:", "Xrom:"), record},
		"b= is bent":                    {swap("b=", "b=!"), record},
		"a Date more":                   {"Date: Mon, 3 Jan 2000 10:00:00 +0000\r\n" + good, record},
		"a To more":                     {"To: other@grid.example\r\n" + good, record},
		"a Message-ID more":             {"Message-ID: <2@evil.example>\r\n" + good, record},
		"a MIME-Version more":           {"MIME-Version: 1.0\r\n" + good, record},
		"words below":                   {good + "send now\r\n", record},
		"revoked":                       {good, "v=DKIM1; k=ed25519; p="},
		"another key":                   {good, "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(make([]byte, 32))},
		"a short key":                   {good, "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(make([]byte, 31))},
		"not for mail":                  {good, record + "; s=web"},
		"only for sha1":                 {good, record + "; h=sha1"},
		"another kind of key":           {good, strings.Replace(record, "k=ed25519", "k=rsa", 1)},
		"a key of another version":      {good, strings.Replace(record, "v=DKIM1", "v=DKIM2", 1)},
		"a key tag twice":               {good, record + "; k=ed25519"},
	} {
		policy := p.policy()
		policy.DNS = zone(map[string]string{"s._domainkey.lab.example": x.record, "s._domainkey.example": record})
		if ev := Judge(context.Background(), []byte(x.mail), policy); ev.E == "pass" {
			t.Errorf("%s: %+v", name, ev)
		}
		if x.mail == good && x.record == record {
			t.Errorf("%s bends nothing", name)
		}
	}
	if ev := Judge(context.Background(), []byte(good), p.policy()); ev.E != "pass" {
		t.Errorf("unbent: %+v", ev)
	}
}
