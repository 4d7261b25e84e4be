package probe

import (
	"fmt"
	"net/http"
	"time"
)

// State is what became of a link.
type State string

const (
	// Waiting: there was no time to ask, or to hear the answer.
	Waiting State = "waiting"
	// Fine: the server gave a page.
	Fine State = "fine"
	// Gone: there is no such page (404, 410) or no such host.
	Gone State = "gone"
	// Refused: the server answers, but not to us (401, 403, 429, 5xx ...), which
	// says nothing about readers.
	Refused State = "refused"
	// Silent: no connection, no certificate, or no answer within the limit.
	Silent State = "silent"
	// Forbidden: the address is not public, or no web address; never asked.
	Forbidden State = "forbidden"
	// Reserved: a name that can never be on the web, such as example.org (RFC
	// 2606, RFC 6761); never asked.
	Reserved State = "reserved"
)

// Ask is one link to look at. Of an image, the size is wanted too.
type Ask struct {
	URL   string
	Image bool
}

// Answer is what a server said about one link.
type Answer struct {
	State  State
	Status int    // HTTP status, 0 without an answer
	Final  string // where redirects led; "" when there were none
	Secure bool   // an http link whose https form gives a page
	// Why names the reason when State is not Fine, as the catalogue of the
	// mails does behind "probe-".
	Why string
	// Width and Height are an image's pixels, Bytes its size as served; 0 when
	// unknown.
	Width, Height, Bytes int
}

// Reply is the server's status as servers write it, "404 Not Found"; "" without
// an answer.
func (a Answer) Reply() string {
	if a.Status == 0 {
		return ""
	}
	return fmt.Sprintf("%d %s", a.Status, http.StatusText(a.Status))
}

// Seconds is how long a server may take for an answer.
func Seconds() int { return int(maxTime / time.Second) }
