package main

import (
	"context"
	"strings"

	"galley/send/store"
)

// helloVerbs are the forms of lines that tell of the first day.
var helloVerbs = []verb{
	given(`a first day`, func(s *story, _ []string) { s.plan.firstDay = true }),
	on(`(\w+)'s mail is signed by (\S+) from now on`, (*story).changesProvider),
	on(`(\w+) replies to "([^"]*)" through a gateway: (.+)`, (*story).repliesThroughGateway),
	on(`(\w+) replies in (\w+)'s name to "([^"]*)": (.+)`, (*story).repliesInName),
	on(`(\w+) becomes an editor too`, (*story).addsEditor),
	on(`the operator says: (.+)`, (*story).operatorSays),
	on(`(\w+) replies to "([^"]*)" over a server that renames: (.+)`, (*story).repliesRenamed),
}

func (s *story) changesProvider(w []string) { s.person(w[0]).signedBy = w[1] }

// What a gateway puts above and below every mail that leaves.
const (
	gatewayBanner = "CAUTION: This mail comes from outside of the house.\nDo not press links in it.\n\n"
	gatewayFoot   = "\n\nThis message is confidential. If it is not meant\nfor you, delete it.\n"
)

func (s *story) repliesThroughGateway(w []string) {
	s.t.Helper()
	by := s.person(w[0])
	m := s.answer(by, s.found(by, w[1]), written(w[2]))
	m.Text = []byte(gatewayBanner + string(m.Text) + gatewayFoot)
	s.world.post(by, m)
}

// repliesRenamed answers a mail whose Message-ID a relay has made anew.
func (s *story) repliesRenamed(w []string) {
	s.t.Helper()
	by := s.person(w[0])
	m := s.answer(by, s.found(by, w[1]), written(w[2]))
	m.InReplyTo, m.References = "<renamed-1234@relay.example>", []string{"<renamed-1234@relay.example>"}
	s.world.post(by, m)
}

// repliesInName answers somebody's mail under that somebody's address, over
// the own provider: whoever got hold of the code could.
func (s *story) repliesInName(w []string) {
	s.t.Helper()
	by, of := s.person(w[0]), s.person(w[1])
	m := s.answer(by, s.found(of, w[2]), written(w[3]))
	m.From = of.addr
	s.world.post(by, m)
}

// addsEditor writes the configuration anew, as an operator does, and starts
// the house on it.
func (s *story) addsEditor(w []string) {
	s.end()
	s.plan.editors = append(s.plan.editors, w[0])
	s.configure()
	s.start()
}

// operatorSays is a word on the command line, which the same code reads.
func (s *story) operatorSays(w []string) {
	s.t.Helper()
	n, _ := s.house.cfg.Newsletter("quiet")
	words := issueSay{Words: strings.Fields(w[0])}
	decision, err := words.decision(s.house, n)
	if err != nil {
		s.t.Fatal(err)
	}
	s.update(func(ctx context.Context, tx *store.Tx) error {
		_, err := s.house.desk.Decide(ctx, tx, decision)
		return err
	})
}
