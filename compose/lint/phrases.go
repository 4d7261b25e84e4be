package lint

import (
	"regexp"
	"slices"
	"strings"

	"galley/compose/markdown"
)

// junk are words that filters and readers know from junk mail. Each is a whole
// phrase: single words such as "free" or "winner" are ordinary in honest letters.
var junk = regexp.MustCompile(`(?i)\b(?:act (?:now|immediately|today)[!.]|buy now\b|order now\b|call now\b|limited[ -]time (?:offer|only|deal)|offer expires|while supplies last|` +
	`100 ?% (?:free|guaranteed|satisfied)|risk[ -]free (?:trial|offer)?|no (?:obligation|strings attached|hidden (?:costs|fees))|money[ -]back guarantee|satisfaction guaranteed|` +
	`(?:make|earn|get) (?:money|cash) (?:fast|now|online|from home)|work from home and earn|double your (?:money|income)|extra (?:cash|income)|free (?:money|gift|trial!|access!)|` +
	`cash bonus|you(?:'|’)?(?:ve| have) (?:won|been selected)|you are a winner|congratulations, you|claim your (?:prize|reward|free)|once in a lifetime|` +
	`special promotion|increase (?:your )?sales|click (?:here|below)(?: now)?!|this is(?: not|n['’]t) (?:spam|junk)|dear friend,|no credit check|pre-?approved|weight loss)(?:\W|$)`)

// Parts of words of which every phrase above or below has one. A regular
// expression over each line of a draft would cost more than its HTML.
var (
	junkParts = []string{"act now", "act immediately", "act today", "buy now", "order now", "call now", "limited time", "limited-time", "offer expires", "supplies last", "100%", "100 %", "risk free",
		"risk-free", "no obligation", "no strings", "no hidden", "money back", "money-back", "satisfaction g", "money fast", "money now", "money online", "money from", "cash fast", "cash now",
		"cash online", "cash from", "work from home", "double your", "extra income", "extra cash", "cash bonus", "free money", "free gift", "free trial", "free access", "have won", "ve won",
		"been selected", "are a winner", "congratulations", "claim your", "in a lifetime", "special promotion", "increase sales", "increase your sales", "click here", "click below",
		"not spam", "not junk", "t spam", "t junk", "dear friend", "credit check", "preapproved", "pre-approved", "weight loss"}
	mailParts = []string{"hit reply", "press reply", "click reply", "reply to this", "by replying", "forward th", "your inbox", "subscribe below", "subscribe link", "subscribe at",
		"this online", "it online", "browser", "on the web", "this email", "this e-mail", "this mail"}
)

// among returns those parts that the draft has anywhere, in small letters. Most
// drafts have two or three, and no line needs to be asked for the others.
func (i *issue) among(parts []string) []string {
	var found []string
	for _, p := range parts {
		if strings.Contains(i.lower, p) {
			found = append(found, p)
		}
	}
	return found
}

func holds(lower string, parts []string) bool {
	return slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(lower, p) })
}

// loud is a subject that shouts with signs.
var loud = regexp.MustCompile(`[!?]{2,}|\${2,}|€{2,}|(?i:\bfree!)`)

// junkWords looks at the subject and at the draft's own words; what a quote or a
// link's title says is somebody else's.
func junkWords(i *issue) []markdown.Finding {
	var found []markdown.Finding
	if words := junk.FindString(i.Subject); words != "" {
		found = append(found, junkFinding(1, words))
	} else if signs := loud.FindString(i.Subject); signs != "" {
		found = append(found, junkFinding(1, around(i.Subject, signs)))
	}
	parts := i.among(junkParts)
	for _, l := range i.lines {
		if !holds(l.lower, parts) {
			continue
		}
		if words := junk.FindString(l.prose); words != "" && !strings.HasPrefix(strings.TrimSpace(l.prose), ">") {
			found = append(found, junkFinding(l.number, words))
		}
	}
	return found
}

func junkFinding(at int, words string) markdown.Finding {
	words = strings.Trim(words, " .,")
	return markdown.Finding{
		Level: markdown.Warning, Code: "spam-words", Line: at, Words: short(words), Gaps: []any{short(words)},
	}
}

// attachment matches claims that something comes with this mail. "Attached to"
// a wall, a grant or a person is no such claim.
var attachment = regexp.MustCompile(`(?i)\b(?:(?:please )?(?:find|see) (?:the )?attach(?:ed|ment)\b|(?:i|we)(?:['’]ve| have)? attach(?:ed)? (?:a|an|the|my|our|it|them|two|three|some|here)\b|` +
	`(?:is|are) attached (?:to this (?:e-?mail|mail|newsletter|message|issue)|below|here)|attached (?:is|are) (?:a|an|the|my|our|some)\b|the attached (?:file|pdf|document|image|picture|photo|spreadsheet|slides?|form|flyer|program(?:me)?)s?\b|in the attachment\b)`)

// attached finds such claims: an issue goes out without attachments, whatever
// the draft's mail brought.
func attached(i *issue) []markdown.Finding {
	var found []markdown.Finding
	for _, l := range i.lines {
		if !strings.Contains(l.lower, "attach") || strings.HasPrefix(strings.TrimSpace(l.prose), ">") {
			continue
		}
		if words := attachment.FindString(l.prose); words != "" {
			found = append(found, markdown.Finding{
				Level: markdown.Warning, Code: "attached-nothing", Line: l.number, Words: around(l.raw, words),
			})
		}
	}
	return found
}

// mailWords make no sense to somebody who reads the page on the web.
var mailWords = regexp.MustCompile(`(?i)\b(?:(?:just |simply )?hit reply\b|(?:press|click) reply\b|(?:just |simply )?reply to this (?:e-?mail|mail|message|newsletter|issue)\b|by replying to (?:this|the) (?:e-?mail|mail|message|newsletter)\b|` +
	`forward (?:this|the) (?:e-?mail|mail|message|newsletter)\b|in your inbox\b|(?:un)?subscribe (?:link )?(?:below|at the (?:bottom|end|foot))|at the (?:bottom|foot) of this (?:e-?mail|mail)|` +
	`(?:view|read) (?:this|it) (?:online|in (?:your|a) browser|on the web)\b|in this e-?mail\b)`)

// webWords tells once where such words stand outside of email-only blocks.
func webWords(i *issue) []markdown.Finding {
	if len(i.Web) == 0 {
		return nil
	}
	var first markdown.Finding
	places, hidden := 0, false
	parts := i.among(mailParts)
	for _, l := range i.lines {
		hidden = inMailOnly(l.raw, hidden)
		if hidden || !holds(l.lower, parts) {
			continue
		}
		words := mailWords.FindString(l.prose)
		if words == "" {
			continue
		}
		if places++; places == 1 {
			first = markdown.Finding{Level: markdown.Note, Code: "web-words", Line: l.number, Words: around(l.raw, words)}
		}
	}
	if places == 0 {
		return nil
	}
	first.Gaps = []any{places}
	return []markdown.Finding{first}
}

// inMailOnly follows email-only blocks from line to line.
func inMailOnly(raw string, inside bool) bool {
	if inside {
		return !strings.Contains(raw, "</div>")
	}
	at := strings.Index(raw, "email-only")
	return at >= 0 && strings.Contains(raw[:at], "<div") && !strings.Contains(raw[at:], "</div>")
}
