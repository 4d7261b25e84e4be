package relay

import (
	"strconv"
	"strings"
)

// extensions are what the reply to EHLO offers (RFC 5321 section 4.1.1.1).
type extensions struct {
	lines      int
	pipelining bool     // RFC 2920
	chunking   bool     // RFC 3030
	startTLS   bool     // RFC 3207
	utf8       bool     // RFC 6531
	sizes      bool     // RFC 1870: MAIL may say SIZE
	size       int      // the largest message, 0 when unknown
	mailMax    int      // RFC 9422: transactions of one connection, 0 when unknown
	auth       []string // RFC 4954, upper case
}

// add reads one line of the reply; the first is the greeting.
func (x *extensions) add(line []byte) {
	x.lines++
	if x.lines == 1 {
		return
	}
	words := strings.Fields(strings.ToUpper(string(line)))
	if len(words) == 0 {
		return
	}
	switch words[0] {
	case "PIPELINING":
		x.pipelining = true
	case "CHUNKING":
		x.chunking = true
	case "STARTTLS":
		x.startTLS = true
	case "SMTPUTF8":
		x.utf8 = true
	case "SIZE":
		x.sizes, x.size = true, positive(words[1:])
	case "LIMITS":
		x.limits(words[1:])
	case "AUTH":
		x.auth = append(x.auth, words[1:]...)
	}
	// QUIRK: old servers say "AUTH=LOGIN" beside or instead of "AUTH LOGIN".
	if first, ok := strings.CutPrefix(words[0], "AUTH="); ok {
		x.auth = append(append(x.auth, first), words[1:]...)
	}
}

func (x *extensions) limits(words []string) {
	for _, w := range words {
		if value, ok := strings.CutPrefix(w, "MAILMAX="); ok {
			x.mailMax = positive([]string{value})
		}
	}
}

// positive reads the first word as a positive number, 0 when it is none.
func positive(words []string) int {
	if len(words) == 0 {
		return 0
	}
	n, err := strconv.Atoi(words[0])
	if err != nil || n < 0 {
		return 0
	}
	return n
}
