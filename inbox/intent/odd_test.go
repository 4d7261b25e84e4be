package intent

import (
	"strings"
	"testing"
)

// Answers to a proof as people write them besides the tables: what is read as
// which words, and whether it lets mail out. "" is a note; the desk takes a yes
// for nothing where it has not asked.
func TestOddAnswers(t *testing.T) {
	quote := "\n\nOn Fri, 15 Jul 2022 at 18:02, RCT desk <news@rct.example> wrote:\n> PROOF 3 OF #130: READY\n> Goes Saturday 16 July, 09:00 in Toronto, once you approve.\n>\n> Reply with one word:\n>   approve\n>   hold\n"
	for text, want := range map[string]string{
		"“approve”":                                "approve",
		"> approve":                                "",
		"*approve*":                                "approve",
		"APPROVE!":                                 "approve",
		"approve.":                                 "approve",
		"Approve, please":                          "approve",
		"Please approve":                           "approve",
		"approve\n\nSent from my phone":            "approve",
		"Approve\n\nVon meinem iPhone gesendet":    "approve",
		"Approve\n\nEnvoyé de mon iPhone":          "approve",
		"approve\n\nThanks,\nJonathan":             "approve",
		"Could you approve it?":                    "",
		"approve?":                                 "",
		"approve if the links work":                "",
		"I do not approve":                         "",
		"not approved":                             "",
		"don't approve":                            "hold",
		"approve\nmaybe":                           "",
		"approve\nflurble 3":                       "",
		"I would like to approve this tomorrow":    "",
		"he said \"approve\" yesterday":            "",
		"ok, but not yet":                          "",
		"ok hold on":                               "",
		"Stop. Anna found a mistake in the title.": "stop",
		"HOLD IT":                                  "hold",
		"Don't send it yet":                        "hold",
		"Do not send":                              "hold",
		"wait a moment please":                     "hold",
		"please hold":                              "hold",
		"Please stop!":                             "stop",
		"not yet":                                  "hold",
		"Cancel this one, please":                  "cancel",
		"stopping by tomorrow?":                    "",
		"Waiting for Anna.":                        "",
		"The holding company is mentioned twice":   "",
		"yes":                                      "yes",
		"sure":                                     "",
		"👍":                                        "",
		"approve\nhold":                            "hold",
		"test\napprove":                            "test",
		"approve approve":                          "",
		"disapprove":                               "",
	} {
		r := Read(Mail{Subject: "AW: Re: Proof 3 of #130: ready", Text: text + quote, Reply: true, Paper: PaperProof, Current: true, Names: []string{"Jonathan Dursi"}, Desk: []string{"RCT desk", "news@rct.example"}})
		var words []string
		lets := false
		for _, c := range r.Commands {
			words = append(words, string(c.Word))
			lets = lets || c.Lets
		}
		got := strings.Join(words, " ")
		if got != want || lets != (want == "approve" || want == "yes") {
			t.Errorf("%q is read as %s %q (lets out: %v), want %q", text, r.Kind, got, lets, want)
		}
	}
}
