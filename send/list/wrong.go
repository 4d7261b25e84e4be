package list

import "fmt"

// Wrong is what is wrong with an address or with the line of a file, as the
// name of a sentence and what stands in its gaps. The mails say it in the words
// of the catalogue, behind "list-"; Error says it in English, for the command
// line.
type Wrong struct {
	Name string
	Gaps []any
}

// Error is the sentence in English, with the remedy.
func (w *Wrong) Error() string { return fmt.Sprintf(wrongs[w.Name], w.Gaps...) }

// Parts name the sentence of the catalogue.
func (w *Wrong) Parts() (name string, gaps []any) { return "list-" + w.Name, w.Gaps }

// Unwrap is what is wrong inside, nil without it.
func (w *Wrong) Unwrap() error {
	if len(w.Gaps) == 0 {
		return nil
	}
	inner, _ := w.Gaps[len(w.Gaps)-1].(error)
	return inner
}

func wrong(name string, gaps ...any) *Wrong { return &Wrong{name, gaps} }

// wrongs are the sentences in English.
var wrongs = map[string]string{
	"line":         "line %d: %v",
	"wide":         "this is UTF-16; save the file as CSV in UTF-8",
	"empty":        "the file is empty",
	"no-column":    `no column "address" or "email"; put a line with the names of the columns on top: address,name,date`,
	"open-quote":   `a quote (") is opened and not closed; double the quotes inside a cell`,
	"after-quote":  `something stands behind the closing quote ("); double the quotes inside a cell`,
	"long":         "the line is longer than %d KiB; is this a list?",
	"cells":        "%d cells under %d columns; put cells with a comma in quotes",
	"coding":       "not UTF-8; save the file as UTF-8",
	"status":       `the status %q is not known; write "active", or "left" for those who are not to get it, or take the column out`,
	"date-range":   "the date %q cannot be the day of a consent",
	"date":         "%q is no date, or one that can be read in two ways; write 2024-03-09",
	"no-address":   "no address",
	"no-at":        "%q is no address: it has no @; write name@example.org",
	"address":      "address %q: %v",
	"too-long":     "longer than %d octets",
	"no-local":     "nothing before the @",
	"local-long":   "more than %d octets before the @",
	"local-coding": "not UTF-8",
	"local-dots":   "a dot stands at an end of the local part or beside another dot",
	"local-sign":   "%q cannot stand before the @",
	"domain":       "%q is no domain",
	"domain-long":  "%q is no domain: it wants two labels or more, of %d octets in all at most",
	"label":        "%q is no domain: its part %q is empty, too long or has a character that no host name has",
}
