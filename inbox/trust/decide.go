package trust

// Case is what is known about a mail when it is decided what may be done with
// it. Empty strings stand for the last word of each list.
type Case struct {
	Automated   bool   // trust.md 2.1 rows 2 to 8
	Strict      bool   // a strict From that is a configured editor
	E           string // pass fail temperror none
	Code        string // valid stale wrong absent
	PGP         string // pass fail absent
	Intent      string // approve hold draft ask none; what changes the text is a draft, what lets mail out an approve
	CodeAllowed bool   // approve = "code" in the file: the editor's provider signs nothing
}

// The actions of Decide. Whatever is answered goes to the configured address
// of the editor and never to the sender of the mail.
const (
	Nothing    = "nothing"    // as if it had not come
	Tell       = "tell"       // nothing, but the editor is told: it looked automatic and bore a good code
	Burn       = "burn"       // kill the code, a new proof and an alert to the editor
	HoldBurn   = "hold+burn"  // stop the issue, and burn
	Reader     = "reader"     // not an editor's mail: the reader's path
	Quarantine = "quarantine" // file apart, alert once a day; a valid code is burnt
	HoldQuar   = "hold+quarantine"
	Retry      = "retry"   // verify again later, after 24 hours as evidence "none"
	Execute    = "execute" // let it out, in one transaction with "code unused, revision current"
	Explain    = "explain" // not done; say why and what would do
	Proof      = "proof"   // not done; a fresh proof with a new code
	Wrong      = "wrong"   // not done; count the wrong code
	Silence    = "silence" // filed apart, told once a day
	Hold       = "hold"    // stop the issue
	Notice     = "notice"  // not done; tell the editor that somebody asked
	Draft      = "draft"   // a new revision
	Held       = "held"    // keep it unseen and ask the editor "was this you?"
	Do         = "do"      // answer a question
	Note       = "note"    // a note: the answer shows what was not understood
)

// Decide is the decision table of trust.md 2.6 under the words of
// conversation.md, which outrank it: what lets mail out needs proof and code,
// what holds needs one of the two, wherever it comes from. It gives the row
// that decided, for the log, and the action.
func Decide(c Case) (row, action string) {
	proved := c.E == "pass" || c.PGP == "pass"
	code := c.Code == "valid"
	hold := c.Intent == "hold"
	switch {
	case c.Automated && code && c.Strict:
		return "1", Tell
	case c.Automated:
		return "1", Nothing
	case !c.Strict && code && hold:
		return "2", HoldBurn
	case !c.Strict && code:
		return "2", Burn
	case !c.Strict:
		return "3", Reader
	case c.PGP == "fail":
		return "4", set(hold && code, HoldQuar, Quarantine)
	case c.E == "fail" && !proved:
		return "5", set(hold && code, HoldQuar, Quarantine)
	case hold:
		return "8", held(proved, code, c.E)
	case c.E == "temperror" && !proved:
		return "6", Retry
	}
	return byIntent(c, proved)
}

func set(ok bool, yes, no string) string {
	if ok {
		return yes
	}
	return no
}

// held is row 8, with row 6 where neither proof nor code is there yet.
func held(proved, code bool, e string) string {
	if proved || code {
		return Hold
	}
	return set(e == "temperror", Retry, Notice)
}

// byIntent is rows 7, 9 and 10.
func byIntent(c Case, proved bool) (row, action string) {
	switch c.Intent {
	case "approve":
		return approve(c, proved)
	case "draft":
		if proved {
			return "9a", Draft
		}
		return "9b", Held
	case "ask":
		return "10", set(proved || c.Code == "valid", Do, Silence)
	}
	return "10", set(proved || c.Code == "valid", Note, Silence)
}

// approve is row 7.
func approve(c Case, proved bool) (row, action string) {
	switch c.Code {
	case "valid":
		if proved {
			return "7a", Execute
		}
		return "7b", set(c.CodeAllowed, Execute, Explain)
	case "stale":
		return "7c", Proof
	case "wrong":
		return "7d", set(proved, Wrong, Silence)
	}
	return "7e", set(proved, Proof, Silence)
}
