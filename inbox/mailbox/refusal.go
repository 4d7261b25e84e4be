package mailbox

import (
	"errors"
	"net"
	"strings"
	"unicode"

	"github.com/emersion/go-imap/v2"
)

// Refusal is a NO or BAD of the server: the line is fine, the answer is no.
type Refusal struct {
	Command string // what was asked
	Bad     bool   // BAD instead of NO (RFC 9051 section 7.1.3)
	Code    string // the response code, such as OVERQUOTA, "" if none
	Text    string // the server's words, in one line
}

// Error gives the server's words.
func (r *Refusal) Error() string {
	s := r.Command + ": the server says NO"
	if r.Bad {
		s = r.Command + ": the server says BAD"
	}
	if r.Code != "" {
		s += " [" + r.Code + "]"
	}
	if r.Text != "" {
		s += " " + r.Text
	}
	return s
}

// refusal is err as a Refusal, nil if it is none.
func refusal(what string, err error) error {
	var known *Refusal
	if errors.As(err, &known) {
		return known
	}
	var no *imap.Error
	if !errors.As(err, &no) {
		return nil
	}
	return &Refusal{Command: what, Bad: no.Type == imap.StatusResponseTypeBad,
		Code: oneLine(string(no.Code)), Text: oneLine(no.Text)}
}

// refused reports that err is the server's no and the line is still good.
func refused(err error) bool {
	var no *Refusal
	return errors.As(err, &no)
}

// oneLine makes the server's words fit for a log: one line of printable
// characters, at most 300 octets.
func oneLine(s string) string {
	if len(s) > tailSize {
		s = s[:tailSize]
	}
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
	return strings.TrimSpace(s)
}

// kind is the text of a fault without what differs each time, such as our
// port: a fault is logged when its kind changes.
func kind(err error) string {
	var op *net.OpError
	if errors.As(err, &op) && op.Source != nil {
		return strings.ReplaceAll(err.Error(), op.Source.String(), "here")
	}
	return err.Error()
}
