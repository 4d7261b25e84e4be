package reply

import (
	"regexp"
	"strings"
)

var (
	nameSign = regexp.MustCompile(`^(-|–|—|--|/)\s?\p{Lu}[\p{L}'.]*( \p{Lu}[\p{L}'.]*){0,3}$`)
	listLine = regexp.MustCompile(`(?i)mailing list|listinfo|unsubscribe|groups\.google|you received this (message|email) because`)
)

// maxFoot is how many lines the feet of what a person wrote may have.
const maxFoot = 40

// markSignatures marks the feet of what is still the person's own. A run of
// own lines ends at the next quote: a signature never reaches across it.
func markSignatures(lines []Line) {
	end := 0
	for i := 0; i < len(lines); i++ {
		if lines[i].Kind != Own || lines[i].blank() {
			continue
		}
		if i >= end {
			end = runEnd(lines, i)
		}
		switch s := lines[i].bare(); {
		case isDelimiter(lines[i].Text, s) && end-i <= maxFoot, closing(s) && shortLines(lines[i+1:end]), isNameSign(s) && lastWords(lines, i, end):
			last := i + postScript(lines[i:end])
			setKind(lines[i:last], Signature)
			i = last - 1
		case end-i <= maxFoot && (sentFrom(s) && (!strings.ContainsAny(strings.TrimRight(s, "."), ".,;") || nextText(lines[:end], i+1) >= end) || mailProgram(s) && lastWords(lines, i, end)):
			lines[i].Kind = Signature
		}
	}
}

var postScriptMark = regexp.MustCompile(`(?i)^\W{0,2}p\.?\s?s\b\.?\s?[:.,–-]?\s?\S`)

// postScript counts the lines before a postscript, which is the person's own
// although it stands under the name; all of them where there is none.
func postScript(lines []Line) int {
	for i := range lines {
		if postScriptMark.MatchString(lines[i].bare()) {
			return i
		}
	}
	return len(lines)
}

// isNameSign knows "- Bob".
func isNameSign(s string) bool {
	return strings.IndexAny(s, "-–—/") == 0 && nameSign.MatchString(s)
}

// closing tells whether a line is nothing but the end of a letter.
func closing(s string) bool {
	return len(s) < 60 && closingWords[strings.ToLower(strings.TrimRight(s, " ,.!;–-"))]
}

// shortLines tells whether what follows can be a name and what stands below
// it: a few short lines.
func shortLines(lines []Line) bool {
	texts := 0
	for i := range lines {
		if lines[i].blank() {
			continue
		}
		if texts++; texts > 6 || len(lines[i].Text) > 80 || strings.ContainsAny(lines[i].Text, "?!") || sentence(lines[i].bare()) {
			return false
		}
	}
	return true
}

// sentence tells whether a line is one: five words or more and a full stop.
func sentence(s string) bool {
	return strings.HasSuffix(s, ".") && len(strings.Fields(s)) >= 5
}

// runEnd is the end of the own lines from i on.
func runEnd(lines []Line, i int) int {
	for i < len(lines) && lines[i].Kind == Own {
		i++
	}
	return i
}

// isDelimiter knows the signature line (RFC 3676 section 4.3) and what is used
// in its place.
func isDelimiter(raw, s string) bool {
	if raw == "-- " || s == "--" || s == "—" || s == "– –" {
		return true
	}
	return len(s) >= 2 && len(s) < 5 && strings.Trim(s, "_") == ""
}

// lastWords tells whether nothing but blank lines follows i before end, and a
// blank line stands above.
func lastWords(lines []Line, i, end int) bool {
	return nextText(lines[:end], i+1) >= end && i > 0 && lines[i-1].blank()
}

// markFooters marks what mailing lists and lawyers add.
func markFooters(lines []Line) {
	end, written := 0, false // a notice stands below what it is about
	for i := range lines {
		if lines[i].Kind != Own || lines[i].blank() {
			continue
		}
		if i >= end {
			end = runEnd(lines, i)
		}
		s := lines[i].bare()
		switch {
		case isRule(s) && nextText(lines[:end], i+1) >= end:
			lines[i].Kind = Footer // a line drawn above the quote
		case isRule(s) && len(s) >= 10 && footerBelow(lines[i+1:end]):
			setKind(lines[i:end], Footer)
		case written && legal(lines, i), len(s) > 10 && len(s) < 4000 && gatewayWarning.MatchString(s):
			setKind(lines[i:paragraphEnd(lines, i)], Footer)
		}
		written = written || lines[i].Kind == Own
	}
}

// mailProgram knows "Get Outlook for iOS" in any language: a few words, among
// them the program and its system, alone at the end.
func mailProgram(s string) bool {
	lower := strings.ToLower(s)
	return len(strings.Fields(s)) <= 6 && strings.Contains(lower, "outlook") && (strings.Contains(lower, "ios") || strings.Contains(lower, "android")) && !strings.ContainsAny(s, ".!?,")
}

// footerBelow tells whether a few lines about a mailing list are all there is.
func footerBelow(lines []Line) bool {
	var texts []string
	for i := range lines {
		if lines[i].blank() {
			continue
		}
		if texts = append(texts, lines[i].Text); len(texts) > 8 {
			return false
		}
	}
	return listLine.MatchString(strings.Join(texts, "\n"))
}

func paragraphEnd(lines []Line, i int) int {
	for i < len(lines) && lines[i].Kind == Own && !lines[i].blank() {
		i++
	}
	return i
}

// legal knows a notice of confidentiality at line i. One without a title is
// long; "this message is confidential, do not print it" is the person's.
func legal(lines []Line, i int) bool {
	s := lines[i].bare()
	if len(s) <= 20 || len(s) >= 4000 {
		return false
	}
	return legalTitle.MatchString(s) || legalStart.MatchString(s) && len(joined(lines, i, paragraphEnd(lines, i)-1)) >= 70
}

// sentFrom knows the line a telephone adds.
func sentFrom(s string) bool {
	return len(s) < 160 && sentFromLine.MatchString(strings.Trim(s, "*_ "))
}
