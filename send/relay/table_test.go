package relay

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"galley/send"
	"galley/send/sendtest"
)

// The columns of the table: what the server answers at the stage of the row.
var tableReplies = []string{"2yz", "421 4.3.2 going", "450 4.2.0 busy", "451 4.7.1 wait", "452 4.2.2 full",
	"550 5.1.1 nobody", "550 5.7.1 policy", "552 5.2.2 full", "554 5.0.0 no", "how do you do", "close"}

// table is bar 18: eight stages by eleven replies. "+" is acceptance of the
// message in the end, "L" later, "N" never, "?" unknown; "!" marks a fault of
// the line. Up to AUTH a letter is a refusal to open the line and "E" is an
// error of the network.
var table = map[send.Stage]string{
	//                   2yz 421 450 451 452 511 571 552 554 junk close
	send.StageGreeting: "+   L!  L!  L!  L!  N!  N!  N!  N!  E   E",
	send.StageEHLO:     "+   L!  L!  L!  L!  N!  N!  N!  N!  E   E",
	send.StageTLS:      "+   L!  L!  L!  L!  N!  N!  N!  N!  E   E",
	send.StageAuth:     "+   L!  L!  L!  L!  N!  N!  N!  N!  E   E",
	send.StageMail:     "+   L!  L!  L!  L!  N!  N!  N!  N!  L!  L!",
	send.StageRcpt:     "+   L!  L   L   L   N   N   L   N   L!  L!",
	send.StageData:     "L!  L!  L   L   L   N   N   N   N   L!  L!",
	send.StageDot:      "+   L!  L   L   L   N   N   N   N   ?!  ?!",
}

// odd is the 2yz reply that is not the usual one of its stage.
var odd = map[send.Stage]string{send.StageGreeting: "252 odd", send.StageTLS: "220 odd", send.StageEHLO: "252-odd\n252 AUTH PLAIN",
	send.StageAuth: "252 odd", send.StageMail: "253 odd", send.StageRcpt: "251 odd", send.StageData: "250 odd", send.StageDot: "252 odd"}

func TestTable(t *testing.T) {
	server, client, err := sendtest.SelfSigned("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for stage, cells := range table {
		for i, want := range strings.Fields(cells) {
			for _, alone := range []bool{false, true} {
				rows++
				words := tableReplies[i]
				opt := sendtest.Options{NoPipelining: alone, Fault: tableFault(stage, words)}
				opt.Auth = func(string, string) error { return nil }
				if stage == send.StageTLS || stage == send.StageAuth {
					opt.TLS = server
				}
				s, r := sink(t, opt)
				if opt.TLS != nil {
					r.Security, r.TLS = STARTTLS, client
				}
				r.Auth = &Auth{User: "press", Password: "secret"}
				if got := tableRun(t, r, stage); got != want {
					t.Errorf("%s, %q, no pipelining %v: %s, want %s", stage, words, alone, got, want)
				}
				if n := s.Stats().Messages; (want == "+") != (n == 1) && want != "?!" {
					t.Errorf("%s, %q, no pipelining %v: %d messages at the sink", stage, words, alone, n)
				}
				s.Close()
			}
		}
	}
	t.Logf("%d rows", rows)
}

// tableFault answers words once at stage.
func tableFault(stage send.Stage, words string) func(sendtest.Step) sendtest.Fault {
	return func(p sendtest.Step) sendtest.Fault {
		switch {
		case string(p.Stage) != string(stage):
			return sendtest.Fault{}
		case words == "close":
			return sendtest.Fault{Close: true, Take: stage == send.StageDot}
		case words == "2yz":
			return sendtest.Fault{Reply: strings.ReplaceAll(odd[stage], "\n", "\r\n")}
		}
		return sendtest.Fault{Reply: words, Take: words == "how do you do" && stage == send.StageDot}
	}
}

// tableRun delivers one message and puts what came of it into a cell.
func tableRun(t *testing.T, r *Relay, stage send.Stage) string {
	l, err := r.Line(t.Context())
	var refusal *send.Refusal
	switch {
	case errors.As(err, &refusal):
		return tableCell(t, refusal.Outcome, stage)
	case err != nil && strings.Contains(err.Error(), ": "+string(stage)+": "):
		return "E"
	case err != nil:
		return err.Error()
	}
	defer l.Close()
	o := send.Deliver(t.Context(), l, to("ann@example.org"), letter("x"), nil)
	if gone := o.Code == 0 || o.Code == 421; gone == l.Reusable() {
		t.Errorf("reusable %v behind %+v", l.Reusable(), o)
	}
	if o.Verdict == send.Accepted {
		stage = send.StageDot
	}
	return tableCell(t, o, stage)
}

func tableCell(t *testing.T, o send.Outcome, stage send.Stage) string {
	if o.Stage != stage || o.Transcript == "" || o.Code != 0 && !strings.HasPrefix(o.Transcript, fmt.Sprint(o.Code)) {
		t.Errorf("at %s: outcome %+v", stage, o)
	}
	cell := map[send.Verdict]string{send.Accepted: "+", send.Later: "L", send.Never: "N", send.Unknown: "?"}[o.Verdict]
	if o.Transport {
		cell += "!"
	}
	return cell
}
