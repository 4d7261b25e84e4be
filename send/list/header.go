package list

import (
	"strings"
	"time"
	"unicode/utf8"

	"galley/send/store"
)

// The columns that the big hosts export, by what they mean to us; names are
// compared in lower case without spaces, dashes and underscores. Of several
// columns with one meaning the first in the list that has a value counts.
var (
	addressColumns = []string{"email", "emailaddress", "address", "mail", "subscriberemail"}
	nameColumns    = []string{"name", "fullname", "subscribername", "displayname"}
	firstColumns   = []string{"firstname", "fname", "givenname"}
	lastColumns    = []string{"lastname", "lname", "surname", "familyname"}
	// Confirmation before sign-up: it is the one that proves consent.
	dateColumns = []string{"consentdate", "consent", "confirmtime", "confirmedat", "optintime", "joined", "subscribedat",
		"subscriptiondate", "creationdate", "createdat", "signupdate", "startdate", "date"}
	stateColumns = []string{"status", "type", "subscribertype", "subscribedtoemails"}
	offColumns   = []string{"emaildisabled"} // Substack
	// A date in one of these says that the person is gone from there.
	goneColumns = []string{"unsubtime", "cleantime", "unsubscribedat", "unsubscriptiondate", "deletedat"}
)

// states tells whose state at the former host lets them in: those in the
// map's true half asked for the newsletter, those in the other half left, never
// confirmed, or could not be reached.
var states = map[string]bool{
	"": true, "active": true, "subscribed": true, "enabled": true, "confirmed": true, "true": true, "yes": true, "1": true,
	"regular": true, "premium": true, "gifted": true, "trialed": true, "free": true, "paid": true, "comped": true,
	"churned": true, "pastdue": true, "paused": false,
	"left": false, "suppressed": false, "unsubscribed": false, "disabled": false, "blocklisted": false, "blacklisted": false,
	"unactivated": false, "unconfirmed": false, "pending": false, "removed": false, "undeliverable": false, "complained": false,
	"blocked": false, "cleaned": false, "bounced": false, "spammy": false, "false": false, "no": false, "0": false,
}

// layout is where a file keeps what; each is a list of columns.
type layout struct {
	address, name, first, last, date, state, off, gone []int
	width                                              int
	form                                               string // of the last date: one file has one form
}

// readHeader finds the columns by their names.
func readHeader(cells []string) (*layout, error) {
	at := map[string]int{}
	for i, c := range cells {
		if n := plainName(c); n != "" {
			if _, twice := at[n]; !twice {
				at[n] = i
			}
		}
	}
	find := func(names []string) (cols []int) {
		for _, n := range names {
			if i, ok := at[n]; ok {
				cols = append(cols, i)
			}
		}
		return cols
	}
	l := &layout{
		address: find(addressColumns), name: find(nameColumns), first: find(firstColumns), last: find(lastColumns),
		date: find(dateColumns), state: find(stateColumns), off: find(offColumns), gone: find(goneColumns), width: len(cells),
	}
	if len(l.address) == 0 {
		return nil, wrong("no-column")
	}
	return l, nil
}

func plainName(s string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" _-.\u00a0\ufeff\t", r) {
			return -1
		}
		return r
	}, strings.ToLower(s))
}

// person is what one record says.
type person struct {
	line    int
	address Address
	key     string // of the address
	name    string
	joined  int64 // 0: the file does not say
}

// read makes a person of a record; away is true when the former host says that
// they left or cannot be reached. Its error says what is wrong, with the remedy.
func (l *layout) read(cells []string, now time.Time) (p person, away bool, err error) {
	if len(cells) > l.width {
		return p, false, wrong("cells", len(cells), l.width)
	}
	for _, c := range cells {
		if !utf8.ValidString(c) {
			return p, false, wrong("coding")
		}
	}
	if p.address, err = ParseAddress(unguard(l.cell(cells, l.address))); err != nil {
		return p, false, err
	}
	p.key = p.address.Key()
	p.name = l.fullName(cells)
	if p.joined, err = l.instant(l.cell(cells, l.date), now); err != nil {
		return p, false, err
	}
	away, err = l.away(cells)
	return p, away, err
}

// keep lets go of the line that the strings were cut from: many a host's lines
// are long, and of many people at once only this much is remembered.
func (p *person) keep() {
	n, end := len(p.address.s), len(p.address.s)+len(p.name)
	if p.key == p.address.s {
		own := p.address.s + p.name
		p.address.s, p.key, p.name = own[:n], own[:n], own[n:]
		return
	}
	own := p.address.s + p.name + p.key
	p.address.s, p.name, p.key = own[:n], own[n:end], own[end:]
}

// cell is the first of several columns with something in it.
func (l *layout) cell(cells []string, columns []int) string {
	for _, i := range columns {
		if i < len(cells) {
			if s := strings.TrimSpace(cells[i]); s != "" {
				return s
			}
		}
	}
	return ""
}

func (l *layout) fullName(cells []string) string {
	name := l.cell(cells, l.name)
	if name == "" {
		name = l.cell(cells, l.first) + " " + l.cell(cells, l.last)
	}
	return cleanName(unguard(name))
}

func (l *layout) away(cells []string) (bool, error) {
	if l.cell(cells, l.gone) != "" {
		return true, nil
	}
	if off, known := states[plainName(l.cell(cells, l.off))]; known && off && l.cell(cells, l.off) != "" {
		return true, nil
	}
	state := l.cell(cells, l.state)
	in, known := states[plainName(state)]
	if !known {
		return false, wrong("status", state)
	}
	return !in, nil
}

// dates are the ways in which dates are written that can be read in one way
// only; without a zone they are UTC.
var dates = []string{
	time.RFC3339Nano, "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05Z07", "2006-01-02 15:04:05 Z0700", "2006-01-02 15:04:05 MST",
	"2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02", "Jan 2, 2006", "2 Jan 2006", "2 January 2006", "January 2, 2006",
}

// instant reads a date, in the form of the one before if it can. The forms are
// such that no text has two of them with two meanings.
func (l *layout) instant(s string, now time.Time) (int64, error) {
	if s == "" {
		return 0, nil
	}
	t, err := time.Parse(l.form, s)
	for n := 0; err != nil; n++ {
		if n == len(dates) {
			return 0, wrong("date", s)
		}
		l.form = dates[n]
		t, err = time.Parse(l.form, s)
	}
	if t.Year() < 1990 || t.After(now.Add(24*time.Hour)) {
		return 0, wrong("date-range", s)
	}
	return store.Micros(t), nil
}

// guard keeps a spreadsheet from taking a cell for a formula: names and
// addresses come from strangers.
func guard(s string) string {
	if s != "" && strings.ContainsRune("=+-@'", rune(s[0])) {
		return "'" + s
	}
	return s
}

// unguard undoes guard.
func unguard(s string) string {
	if len(s) > 1 && s[0] == '\'' && strings.ContainsRune("=+-@'", rune(s[1])) {
		return s[1:]
	}
	return s
}
