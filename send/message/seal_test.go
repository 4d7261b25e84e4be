package message

import (
	"bytes"
	"crypto/ed25519"
	"testing"
	"time"
)

// A copy with a seal has the octets of one that is signed when it goes.
func TestSealedCopiesAreTheSame(t *testing.T) {
	c, err := Compile(testIssue())
	if err != nil {
		t.Fatal(err)
	}
	signers := testSigners(t)
	for _, some := range [][]*Signer{signers, signers[:1], signers[1:]} {
		want, err := c.Splice(nil, testSlots(), some)
		if err != nil {
			t.Fatal(err)
		}
		seal, err := c.Seal(nil, testSlots(), some)
		if err != nil {
			t.Fatal(err)
		}
		got, fits, err := c.SpliceSealed(nil, testSlots(), some, seal)
		if err != nil || !fits || !bytes.Equal(got, want) {
			t.Errorf("%d signers: fits %v, %v:\n%s", len(some), fits, err, got)
		}
		if good, err := verify(t, got, some); good != len(some) {
			t.Errorf("%d of %d signatures hold: %v", good, len(some), err)
		}
	}
}

// A seal that was made of anything else is not used: the copy is signed anew.
func TestSealsThatDoNotFit(t *testing.T) {
	signers := testSigners(t)
	compiled := func(change func(*Issue)) *Compiled {
		i := testIssue()
		change(i)
		c, err := Compile(i)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	same := func(*Issue) {}
	c := compiled(same)
	good, err := c.Seal(nil, testSlots(), signers)
	if err != nil {
		t.Fatal(err)
	}
	slots := func(change func(*Slots)) Slots {
		s := testSlots()
		change(&s)
		return s
	}
	other := &Signer{Domain: "news.example", Selector: "e1", Key: ed25519.NewKeyFromSeed([]byte("another seed of thirty-two octet"))}
	renamed := &Signer{Domain: "news.example", Selector: "e2", Key: signers[1].Key}
	for _, v := range []struct {
		name    string
		c       *Compiled
		slots   Slots
		signers []*Signer
		seal    []byte
	}{
		{"other words", compiled(func(i *Issue) { i.Text = append(i.Text, "more\n"...) }), testSlots(), signers, good},
		{"another subject", compiled(func(i *Issue) { i.Subject += "!" }), testSlots(), signers, good},
		{"another time", compiled(func(i *Issue) { i.Date = i.Date.Add(time.Second) }), testSlots(), signers, good},
		{"another reader", c, slots(func(s *Slots) { s.To.Name += "x" }), signers, good},
		{"another token", c, slots(func(s *Slots) { s.UnsubscribeURL += "x" }), signers, good},
		{"no web any more", c, slots(func(s *Slots) { s.UnsubscribeURL = "" }), signers, good},
		{"another key", c, testSlots(), []*Signer{signers[0], other}, good},
		{"another selector", c, testSlots(), []*Signer{signers[0], renamed}, good},
		{"one key less", c, testSlots(), signers[:1], good},
		{"keys the other way round", c, testSlots(), []*Signer{signers[1], signers[0]}, good},
		{"no seal", c, testSlots(), signers, nil},
		{"half a seal", c, testSlots(), signers, good[:len(good)-9]},
		{"a print alone", c, testSlots(), signers, good[:printLen]},
		{"more than a seal", c, testSlots(), signers, append(bytes.Clone(good), 0)},
	} {
		want, err := v.c.Splice(nil, v.slots, v.signers)
		if err != nil {
			t.Fatal(err)
		}
		got, fits, err := v.c.SpliceSealed(nil, v.slots, v.signers, v.seal)
		if err != nil || fits || !bytes.Equal(got, want) {
			t.Errorf("%s: fits %v, %v", v.name, fits, err)
		}
	}
}

func TestPrintTellsIssuesAndKeysApart(t *testing.T) {
	signers := testSigners(t)
	print := func(change func(*Issue), signers []*Signer) string {
		i := testIssue()
		change(i)
		c, err := Compile(i)
		if err != nil {
			t.Fatal(err)
		}
		p, err := c.Print(signers)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	same := func(*Issue) {}
	seen := map[string]string{}
	for name, p := range map[string]string{
		"as it is": print(same, signers), "one key": print(same, signers[:1]), "no keys": print(same, nil),
		"later": print(func(i *Issue) { i.Date = i.Date.Add(time.Hour) }, signers),
		"words": print(func(i *Issue) { i.HTML = append(i.HTML, "<p>more"...) }, signers),
	} {
		if seen[p] != "" || len(p) != 32 {
			t.Errorf("%s and %s have the print %q", name, seen[p], p)
		}
		seen[p] = name
	}
	if again := print(same, signers); seen[again] != "as it is" {
		t.Errorf("the print of the same issue changes: %q", again)
	}
}
