package compose

import (
	"bytes"
	"regexp"
	"strings"
)

// pasted matches what mail programs write in the plain text of a mail where a
// picture was laid in: "[image: boat.png]", "[cid:part1.x@y]".
var pasted = regexp.MustCompile(`(?i)\[(?:image:[ \t]*|cid:)[^\[\]\n]+\]`)

// placed makes Markdown of such words where the picture that they name came with
// the draft. Others stay: they may be the author's own words. A link or an image
// that only begins so is left alone, and the lines of the draft stay the same.
func (f *Frame) placed(text []byte) []byte {
	if len(f.Brought)+len(f.Kept) == 0 || !bytes.ContainsRune(text, '[') {
		return text
	}
	var out []byte
	last := 0
	for _, at := range pasted.FindAllIndex(text, -1) {
		words := string(text[at[0]+1 : at[1]-1])
		if named, ok := cutFold(words, "image:"); ok {
			words = strings.TrimSpace(named)
		}
		marked := at[0] > 0 && text[at[0]-1] == '!' || at[1] < len(text) && bytes.IndexByte([]byte("(:["), text[at[1]]) >= 0
		if marked || f.find(words) == nil {
			continue
		}
		out = append(append(out, text[last:at[0]]...), "![](<"+words+">)"...)
		last = at[1]
	}
	return append(out, text[last:]...)
}

func cutFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}
