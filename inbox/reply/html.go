package reply

import "galley/inbox/mime"

// SplitHTML takes an HTML mail apart: the same as Split of its text, with what
// the markup says of quotes and signatures.
func SplitHTML(html string) Parts { return SplitLines(mime.HTMLLines(html)) }

// SplitLines is SplitHTML for a page that was read already.
func SplitLines(source []mime.HTMLLine) Parts {
	lines := make([]Line, len(source))
	for i := range source {
		lines[i] = newLine(source[i].Quoted(), i+1)
		lines[i].Kind = kindOf(&source[i])
	}
	containers(source, lines)
	return assemble(classify(lines))
}

// kindOf reads the mark of a line by itself.
func kindOf(h *mime.HTMLLine) Kind {
	switch {
	case h.Mark == mime.MarkForward:
		return Forwarded
	case h.Mark == mime.MarkCut || h.Depth > 0:
		return Quote
	case h.Mark == mime.MarkAttribution:
		return Attribution
	case h.Mark == mime.MarkSignature:
		return Signature
	}
	return Own
}

// containers reads each run of lines inside a container of quoted mail. With
// blockquotes in it, what stands before the first is the attribution, and what
// stands after it may be an answer between the quotes; without any, all of it
// is quoted.
func containers(source []mime.HTMLLine, lines []Line) {
	for i := 0; i < len(source); i++ {
		if source[i].Mark != mime.MarkQuote && source[i].Mark != mime.MarkAttribution {
			continue
		}
		end, first := i, -1
		for end < len(source) && (source[end].Mark == mime.MarkQuote || source[end].Mark == mime.MarkAttribution || source[end].Depth > 0) {
			if source[end].Depth > 0 && first < 0 {
				first = end
			}
			end++
		}
		markContainer(source, lines, i, end, first)
		i = end - 1
	}
}

func markContainer(source []mime.HTMLLine, lines []Line, from, end, first int) {
	for i := from; i < end; i++ {
		switch {
		case source[i].Mark != mime.MarkQuote || source[i].Depth > 0:
		case first < 0:
			lines[i].Kind = Quote
		case i < first && introduces(lines, i, first):
			lines[i].Kind = Attribution
		}
	}
}

// introduces tells whether line i is one of the few between the start of a
// container and its first quote that say who wrote it. Some programs put the
// answer itself into the container.
func introduces(lines []Line, i, first int) bool {
	texts := 0
	for j := i; j < first; j++ {
		if !lines[j].blank() {
			texts++
		}
	}
	s := joined(lines, i, first-1)
	return texts <= 3 && len(s) < maxAttribution && (hasDayOrClock(s) || address.MatchString(s)) && (hasVerb(s) || endsOpen(s))
}
