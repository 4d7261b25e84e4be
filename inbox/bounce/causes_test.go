package bounce

import "testing"

// causes say of each case in the shared corpora that ours reads otherwise why
// it does. A case that is missing here, and one that is read rightly by now,
// fails its test.
var causes = map[string]string{
	// The origin takes another recipient, or takes for a bounce what is none.
	"bsd/lhost-exim-52.eml":     "a To field of two addresses without a comma: the report names both, and the first is the one it ignored",
	"bsd/lhost-fml-02.eml":      "a list server's answer that the sender is no member: nothing was returned",
	"bsd/lhost-sendmail-14.eml": "a person's forward of a bounce, behind quote marks: a person's mail is no report",
	"bsd/lhost-sendmail-25.eml": "the origin keeps the encoded word as the address; ours decodes it",
	"bsd/arf-11.eml":            "the address is blacked out; the origin puts a made-up one in its place",
	"bsd/arf-15.eml":            "the address is blacked out; the origin puts a made-up one in its place",
	"bsd/arf-26.eml":            "a mail program's request to leave, by mail: ours reads it by the token in its address",
	// A phrase or a code says more than the origin's reason.
	"bsd/lhost-domino-02.eml":     "the words say that nobody of this name is in the directory",
	"bsd/lhost-exim-30.eml":       "Access denied under 5.7.1: a policy's words, so we are refused and not the reader",
	"bsd/lhost-mfilter-04.eml":    "5.4.1 Access denied is how Exchange Online says that nobody has the address",
	"bsd/lhost-v5sendmail-07.eml": "550 Host unknown: the domain is gone",
	"bsd/rhost-gsuite-04.eml":     "NXDOMAIN under a status of 4.0.0: the domain is gone, however often it is tried",
	"bsd/rfc3464-53.eml":          "NXDOMAIN under a status of 4.0.0: the domain is gone, however often it is tried",
	"bsd/rfc3464-64.eml":          "NXDOMAIN under a status of 4.0.0: the domain is gone, however often it is tried",
	"bsd/rhost-nttdocomo-02.eml":  "550 Unknown user",
	"bsd/rfc3464-01.eml":          "the recipient's own status and diagnostic say that it is unknown; the full disk is another's",
	// Mailman's and the Perl module's.
	"simple_20.txt":            "its Subject begins with RE: and no machine sends it: a person's answer to a bounce looks like that",
	"no-message-collected.msg": "the report gives neither an address nor a reason",
	"spam-with-image.msg":      "an advertisement in a picture, without a word of a bounce",
	"not-a-relay.msg":          "relaying refused: we are refused and not the domain",
	"relaying-denied.msg":      "relaying refused: we are refused and not the domain",
}

// misses are the cases of one test that were read otherwise.
type misses map[string]bool

// note keeps a case, and fails where no cause is known.
func (m misses) note(t *testing.T, name, format string, args ...any) {
	t.Helper()
	m[name] = true
	if causes[name] == "" {
		t.Errorf("%s, and no cause is known: "+format, append([]any{name}, args...)...)
	}
}

// all fails on causes of cases that were read rightly.
func (m misses) all(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		if !m[name] {
			t.Errorf("%s is read rightly: its cause can go", name)
		}
	}
	for name := range m {
		t.Logf("%s: %s", name, causes[name])
	}
}
