package lint

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"galley/compose/markdown"
)

// How far a draft's date may lie from the day on which its mail was written. A
// year not turned in January and a head copied from last month lie outside.
const (
	datedBack  = 10 * 24 * time.Hour
	datedAhead = 60 * 24 * time.Hour
)

// weekdayStems are parts of words of which every weekday has one.
var weekdayStems = []string{"mon ", "mon,", "monday", "tue", "wed", "thu", "fri", "sat ", "sat,", "satur", "sun ", "sun,", "sunday", "mon\u00a0", "sat\u00a0", "sun\u00a0"}

// written matches a date in words, with the weekday before it if there is one.
var written = regexp.MustCompile(`(?i)\b(?:(mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?,?[\s\x{a0}]+(?:the[\s\x{a0}]+)?)?` +
	`(?:(\d{1,2})(?:st|nd|rd|th)?[\s\x{a0}]+(?:of[\s\x{a0}]+)?(jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)(?:[a-z]{0,6})\b|` +
	`(jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)(?:[a-z]{0,6})\.?[\s\x{a0}]+(\d{1,2})(?:st|nd|rd|th)?\b)` +
	`(?:\.?,?[\s\x{a0}]+(\d{4})\b)?`)

// day is a date as somebody wrote it. Year is 0 when none was.
type day struct {
	words   string
	weekday string // first three letters, small; "" when none was written
	year    int
	month   time.Month
	number  int
}

func days(s string) []day {
	var all []day
	for _, m := range written.FindAllStringSubmatch(s, -1) {
		d := day{words: m[0], weekday: strings.ToLower(m[1])}
		month, number := m[3], m[2]
		if month == "" {
			month, number = m[4], m[5]
		}
		d.month = monthOf(month)
		d.number, _ = strconv.Atoi(number)
		d.year, _ = strconv.Atoi(m[6])
		if len(d.weekday) > 3 {
			d.weekday = d.weekday[:3]
		}
		all = append(all, d)
	}
	return all
}

func monthOf(word string) time.Month {
	for m := time.January; m <= time.December; m++ {
		if strings.EqualFold(word[:3], m.String()[:3]) {
			return m
		}
	}
	return 0
}

// on is the day in a year; ok is false when that year has no such day.
func (d day) on(year int) (t time.Time, ok bool) {
	t = time.Date(year, d.month, d.number, 0, 0, 0, 0, time.UTC)
	return t, t.Day() == d.number && t.Month() == d.month
}

// dates compares the draft's date with its title and with the day on which it was
// mailed.
func dates(i *issue) []markdown.Finding {
	date, err := time.Parse(time.DateOnly, i.Doc.Front.Date)
	if err != nil {
		return nil
	}
	var found []markdown.Finding
	title := i.Doc.Front.Title
	for _, d := range days(title) {
		if on, ok := d.on(d.year); d.year != 0 && ok && !on.Equal(date) {
			found = append(found, markdown.Finding{
				Level: markdown.Warning, Code: "date-title", Line: 1, Words: short(title), Gaps: []any{on, date},
			})
		}
	}
	if f, bad := i.farAway(date); bad {
		found = append(found, f)
	}
	return found
}

func (i *issue) farAway(date time.Time) (markdown.Finding, bool) {
	if i.Written.IsZero() {
		return markdown.Finding{}, false
	}
	y, m, d := i.Written.Date()
	today := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	if away := date.Sub(today); away >= -datedBack && away <= datedAhead {
		return markdown.Finding{}, false
	}
	return markdown.Finding{
		Level: markdown.Warning, Code: "date-far", Line: 1, Words: i.Doc.Front.Date, Gaps: []any{date, today},
	}, true
}

// weekdays finds dates that the calendar does not have: 31 June, and Friday the
// 9th when that is a Saturday. Quotes and the titles of links are others' words.
func weekdays(i *issue) []markdown.Finding {
	var found []markdown.Finding
	if f, bad := i.misdated(i.Doc.Front.Title, 1); bad {
		found = append(found, f)
	}
	for _, l := range i.lines {
		if !strings.ContainsAny(l.prose, "0123456789") || !holds(l.lower, weekdayStems) || strings.HasPrefix(strings.TrimSpace(l.prose), ">") {
			continue
		}
		if f, bad := i.misdated(l.prose, l.number); bad {
			found = append(found, f)
		}
	}
	return found
}

func (i *issue) misdated(s string, line int) (markdown.Finding, bool) {
	for _, d := range days(s) {
		if d.weekday == "" || d.number == 0 {
			continue
		}
		if right, bad := i.wrongDay(d); bad {
			return markdown.Finding{
				Level: markdown.Warning, Code: "weekday", Line: line, Words: short(d.words), Gaps: []any{right},
			}, true
		}
	}
	return markdown.Finding{}, false
}

// wrongDay takes a date without a year as near the issue's: right in any of the
// three years around it is right.
func (i *issue) wrongDay(d day) (markdown.Sentence, bool) {
	issued, err := time.Parse(time.DateOnly, i.Doc.Front.Date)
	years := []int{d.year}
	if d.year == 0 {
		if err != nil {
			return markdown.Sentence{}, false
		}
		years = []int{issued.Year(), issued.Year() + 1, issued.Year() - 1}
	}
	var message markdown.Sentence
	for _, year := range years {
		on, ok := d.on(year)
		if !ok {
			return markdown.Sentence{Name: "no-such-day", Gaps: []any{d.number, time.Date(year, d.month, 1, 12, 0, 0, 0, time.UTC)}}, d.number > 31 || !leap(d)
		}
		if strings.EqualFold(on.Weekday().String()[:3], d.weekday) {
			return markdown.Sentence{}, false
		}
		if message.Name == "" {
			message = markdown.Sentence{Name: "other-weekday", Gaps: []any{on}}
		}
	}
	return message, true
}

// leap tells of 29 February, which only some years have.
func leap(d day) bool { return d.year == 0 && d.month == time.February && d.number == 29 }

// number compares the issue's number with the one that would be next.
func number(i *issue) []markdown.Finding {
	if i.Next <= 1 || i.Number == 0 || i.Number == i.Next {
		return nil
	}
	return []markdown.Finding{{
		Level: markdown.Warning, Code: "number-not-next", Line: 1, Words: fmt.Sprintf("#%d", i.Number), Gaps: []any{i.Number, i.Next},
	}}
}
