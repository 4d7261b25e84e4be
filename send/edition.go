package send

import (
	"fmt"
	"time"

	"galley/send/message"
)

// Edition is an issue as it leaves the house. Its words never change again.
type Edition struct {
	ID              int64
	Newsletter      string
	Issue, Revision int
	Digest          string // of what the editor approved
	Slug            string
	Title, Subtitle string
	Date            string // as the archive shows it, YYYY-MM-DD
	Subject         string
	Preheader       string
	ReplyTo         string // in place of the newsletter's own, "" for that
	HTML, Text      []byte // with message.SlotUnsubscribe
	Web             []byte
	Feed            []byte               // the issue as a feed's entry holds it: HTML without a page around it
	Inline          []message.Attachment // what HTML refers to as cid:
	SendAt          time.Time
	State           EditionState
	Reason          string    // why it is held or paused, when nobody asked for it
	Frozen, Ended   time.Time // when its audience was fixed, when the last row was settled
	Prepared        time.Time // when its deliveries were made
	head            string    // what of the newsletter goes into its bytes
	sealed          string    // the print of its seals, "" without any
}

// EditionState is where an edition stands.
type EditionState string

// The states of an edition.
const (
	Approved  EditionState = "approved"  // waits for its time; its deliveries are prepared
	OnHold    EditionState = "held"      // approved, but an editor or Galley holds it; its time may pass
	Sending   EditionState = "sending"   // its audience is frozen; copies go out
	Paused    EditionState = "paused"    // half sent; nothing goes until it is resumed or replaced
	Done      EditionState = "done"      // every delivery is settled
	Cancelled EditionState = "cancelled" // dropped; who has no copy gets none
	Withdrawn EditionState = "withdrawn" // another revision of the issue took its place
)

// editionMoves are the legal changes of an edition's state. A finished one
// goes on when a row of it is taken up again.
var editionMoves = map[EditionState][]EditionState{
	Approved:  {OnHold, Sending, Cancelled, Withdrawn},
	OnHold:    {Approved, Cancelled, Withdrawn},
	Sending:   {Paused, Done, Cancelled},
	Paused:    {Sending, Cancelled, Withdrawn},
	Done:      {Sending},
	Cancelled: {Withdrawn},
	Withdrawn: {},
}

// to checks a change of state.
func (s EditionState) to(next EditionState) error {
	for _, legal := range editionMoves[s] {
		if next == legal {
			return nil
		}
	}
	return fmt.Errorf("an edition that is %s cannot become %s", s, next)
}

// Halt is a wish that concerns a whole issue.
type Halt string

// The wishes. Each may be told twice; a wish that does not fit the state of
// the issue changes nothing.
const (
	HaltHold     Halt = "hold"     // approved becomes held, sending becomes paused
	HaltStop     Halt = "stop"     // the same; the editor's other word for it
	HaltResume   Halt = "resume"   // held becomes approved, paused becomes sending, refused rows are tried again
	HaltCancel   Halt = "cancel"   // who has no copy gets none
	HaltWithdraw Halt = "withdraw" // a new draft voids the approval; what is half sent is paused
)

// halts says what becomes of a state by a wish.
var halts = map[Halt]map[EditionState]EditionState{
	HaltHold:     {Approved: OnHold, Sending: Paused},
	HaltStop:     {Approved: OnHold, Sending: Paused},
	HaltResume:   {OnHold: Approved, Paused: Sending},
	HaltCancel:   {Approved: Cancelled, OnHold: Cancelled, Sending: Cancelled, Paused: Cancelled},
	HaltWithdraw: {Approved: Withdrawn, OnHold: Withdrawn, Sending: Paused},
}

// Run is how far an issue has come. Its counts add up to Total.
type Run struct {
	Newsletter string
	Issue      int
	Revision   int // of the newest edition
	Digest     string
	State      EditionState
	Out        bool // sending, and the first pass is over: only retries are left
	Reason     string
	SendAt     time.Time
	Started    time.Time // when the first edition of the issue was frozen
	Ended      time.Time
	Counts     map[State]int
	Total      int
	Refusals   []Refusing // the providers that refuse us
	Parked     int        // of the deferred, how many wait for a resume because of them
}

// Waiting counts the readers for whom something is still to be done.
func (r *Run) Waiting() int {
	return r.Counts[Prepared] + r.Counts[Pending] + r.Counts[Claimed] + r.Counts[Deferred] + r.Counts[Ambiguous]
}

// Final tells that nothing more happens by itself.
func (r *Run) Final() bool { return r.State == Done || r.State == Cancelled }
