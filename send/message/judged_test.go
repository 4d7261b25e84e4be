package message

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/foxcpp/go-mockdns"

	"galley/send/servertest"
)

// records are the TXT records of the keys that sign in these tests.
func records(signers []*Signer) map[string]string {
	out := map[string]string{}
	for _, s := range signers {
		out[s.Selector+"._domainkey."+s.Domain] = TXT(s.Key)
	}
	return out
}

// oddities are what makes a text hard to carry: bar 1 names them.
var oddities = []string{
	"\r", "\n", "\r\n", "\x00", ".", "..", "\n.\n", "\r\n.\r\n", "\n..", "\U0001F600", "\u202bעברית\u202c", "العربية", "日本語", "é", "\u2028", "\u00a0", "\t",
	" \n", "= ", "=3D", "=\n", "--galley", "\nFrom ", "\x1b", "\x7f", "\xff", "&amp;", "<b>", "?=", strings.Repeat(".\n", 40), strings.Repeat("x", 998), strings.Repeat("ü", 300),
}

// randomText is n pieces of words and oddities, now and then one line of 50,000
// characters.
func randomText(r *rand.Rand, n int) string {
	var b strings.Builder
	for range n {
		switch r.IntN(4) {
		case 0:
			b.WriteString(oddities[r.IntN(len(oddities))])
		case 1:
			fmt.Fprintf(&b, "%x ", r.Uint64())
		default:
			b.WriteString([]string{"the tide ", "waits, ", "a quay\n", "moorings ", "for nobody.\n\n"}[r.IntN(5)])
		}
	}
	if r.IntN(25) == 0 {
		b.WriteString(strings.Repeat("lang ", 10_000))
	}
	return b.String()
}

// randomIssue is an issue as nobody writes one.
func randomIssue(r *rand.Rand) *Issue {
	i := testIssue()
	tame := func(n int) string { // as the desk lets titles through: words, and not 50,000 characters
		words := strings.Fields(strings.ToValidUTF8(controls.Replace(randomText(r, n)), ""))
		return strings.Join(words[:min(len(words), 60)], " ")
	}
	i.Subject = "#1 " + tame(1+r.IntN(8))
	i.From.Name = "The " + tame(1+r.IntN(4))
	i.Date = i.Date.Add(time.Duration(r.IntN(1e6)) * time.Second)
	i.Text = []byte(randomText(r, 1+r.IntN(60)) + SlotUnsubscribe)
	i.HTML = []byte("<p>" + randomText(r, 1+r.IntN(60)) + `<a href="` + SlotUnsubscribe + `">leave</a>`)
	if r.IntN(5) == 0 {
		i.HTML = nil
	}
	return i
}

// controls takes out of a header what the writer refuses there.
var controls = strings.NewReplacer("\x00", "", "\x1b", "", "\x7f", "", "\r", " ", "\n", " ", "\u2028", " ")

// TestRandomIssues is bar 1 with 200 random issues, and with the servers bar 3
// with a thousand: they keep the rules of the wire, and their signatures hold
// for go-msgauth; dkimpy, OpenDKIM, which knows no Ed25519, and rspamd say the
// same.
func TestRandomIssues(t *testing.T) {
	r, signers, refused, issues := rand.New(rand.NewPCG(129, 1)), testSigners(t), 0, 200
	switch {
	case raceDetector: // which has nothing to find here
		issues = 100
	case os.Getenv("GALLEY_SERVERS") != "":
		issues = 1000
	}
	var all [][]byte
	for n := 0; len(all) < issues; n++ {
		c, err := Compile(randomIssue(r))
		if err != nil {
			if refused++; refused > 50 {
				t.Fatalf("%d of %d issues are refused, the last: %v", refused, n, err)
			}
			continue
		}
		for reader := range 3 {
			slots := testSlots()
			slots.MessageID = fmt.Sprintf("<12.%d.%d@news.example>", n, reader)
			msg, err := c.Splice(nil, slots, signers[:2*((3-reader)/3)]) // the first reader's copy is signed
			if err != nil {
				t.Fatal(err)
			}
			if wire(t, msg); reader == 0 {
				all = append(all, msg)
			}
		}
	}
	for n, msg := range all[:100] {
		if good, err := verify(t, msg, signers); good != 2 {
			t.Fatalf("issue %d: %d signatures hold: %v", n, good, err)
		}
	}
	t.Run("servers", func(t *testing.T) { judgeAll(t, all, records(signers)) })
}

// judgeAll has three verifiers of others look at messages with two signatures.
func judgeAll(t *testing.T, all [][]byte, txt map[string]string) {
	servertest.Need(t, "opendkim", "rspamd", "python3")
	zones := map[string]mockdns.Zone{}
	for name, record := range txt {
		zones[name+"."] = mockdns.Zone{TXT: []string{record}}
	}
	rspamd := servertest.StartRspamd(t, servertest.StartDNS(t, zones))
	good := map[string]int{}
	for _, sigs := range servertest.Dkimpy(t, txt, all...) {
		for _, s := range sigs {
			if s.OK {
				good["dkimpy "+s.Algorithm]++
			}
		}
	}
	for _, ok := range servertest.OpenDKIM(t, txt, all...) {
		if ok {
			good["OpenDKIM rsa-sha256"]++
		}
	}
	for n, keys := range rspamd.Signatures(all...) {
		for _, k := range keys {
			good["rspamd "+map[string]string{"r1": "rsa-sha256", "e1": "ed25519-sha256"}[k]]++
		}
		if len(keys) != 2 {
			t.Errorf("rspamd on issue %d: %v", n, keys)
		}
	}
	want := map[string]int{}
	for _, name := range []string{"dkimpy rsa-sha256", "dkimpy ed25519-sha256", "OpenDKIM rsa-sha256", "rspamd rsa-sha256", "rspamd ed25519-sha256"} {
		want[name] = len(all)
	}
	if !maps.Equal(good, want) {
		t.Errorf("of %d issues hold %v", len(all), good)
	}
	t.Logf("good signatures: %v", good)
}

// TestMutantsJudged is bar 4: each of the 13 signed fields altered, removed
// and added once more, and one octet of the body, in dkimpy. The issue has text
// alone, so that its Content-Transfer-Encoding is signed with the others.
func TestMutantsJudged(t *testing.T) {
	servertest.Need(t, "python3")
	signers := testSigners(t)
	issue := testIssue()
	issue.HTML = nil
	c, err := Compile(issue)
	if err != nil {
		t.Fatal(err)
	}
	msg, err := c.Splice(nil, testSlots(), signers)
	if err != nil {
		t.Fatal(err)
	}
	mutants := mutantsOf(msg)
	if len(mutants) != 40 {
		t.Fatalf("%d mutants", len(mutants))
	}
	names := slices.Sorted(maps.Keys(mutants))
	raws := [][]byte{msg}
	for _, name := range names {
		raws = append(raws, mutants[name])
	}
	for n, sigs := range servertest.Dkimpy(t, records(signers), raws...) {
		for _, s := range sigs {
			if n == 0 && !s.OK {
				t.Errorf("the message itself: %v", sigs)
			}
			if n > 0 && s.OK {
				t.Errorf("%s: %s still holds", names[n-1], s.Algorithm)
			}
		}
		if n == 0 && len(sigs) != 2 {
			t.Errorf("the message itself has %d signatures", len(sigs))
		}
	}
}

// mutantsOf are a message with each signed field altered, removed or added
// once more, and with another octet in its body.
func mutantsOf(msg []byte) map[string][]byte {
	mutants := map[string][]byte{"body": bytes.Replace(msg, []byte("tide waits"), []byte("tide waitz"), 1)}
	headEnd := bytes.Index(msg, []byte("\r\n\r\n")) + 2
	for _, name := range append(slices.Clone(signedConstant), "To", "Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post") {
		mutants["add "+name] = append([]byte(name+": x\r\n"), msg...)
		for _, f := range fieldsOf(msg[:headEnd]) {
			if string(fieldName(f)) == name {
				mutants["remove "+name] = bytes.Replace(msg, f, nil, 1)
				mutants["alter "+name] = bytes.Replace(msg, f, append(f[:len(f)-2:len(f)-2], "x\r\n"...), 1)
			}
		}
	}
	return mutants
}
