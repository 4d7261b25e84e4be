package lint

import (
	"strconv"
	"strings"
)

// named are the colours that people write by name.
var named = map[string]colour{
	"black": {0, 0, 0, true}, "white": {255, 255, 255, true}, "red": {255, 0, 0, true}, "green": {0, 128, 0, true}, "blue": {0, 0, 255, true},
	"yellow": {255, 255, 0, true}, "orange": {255, 165, 0, true}, "purple": {128, 0, 128, true}, "gray": {128, 128, 128, true}, "grey": {128, 128, 128, true},
	"silver": {192, 192, 192, true}, "lightgray": {211, 211, 211, true}, "lightgrey": {211, 211, 211, true}, "darkgray": {169, 169, 169, true},
	"darkgrey": {169, 169, 169, true}, "navy": {0, 0, 128, true}, "maroon": {128, 0, 0, true}, "teal": {0, 128, 128, true}, "olive": {128, 128, 0, true},
	"lime": {0, 255, 0, true}, "aqua": {0, 255, 255, true}, "cyan": {0, 255, 255, true}, "fuchsia": {255, 0, 255, true}, "magenta": {255, 0, 255, true},
	"pink": {255, 192, 203, true}, "brown": {165, 42, 42, true}, "gold": {255, 215, 0, true}, "whitesmoke": {245, 245, 245, true},
}

// firstColour is the colour among the words of a background.
func firstColour(value string) colour {
	if strings.Contains(value, "(") {
		return parseColour(value)
	}
	for word := range strings.FieldsSeq(value) {
		if c := parseColour(word); c.ok {
			return c
		}
	}
	return colour{}
}

// parseColour reads #rgb, #rrggbb, rgb() and names. A colour that lets the
// ground shine through is not known.
func parseColour(s string) colour {
	s = strings.ToLower(strings.TrimSpace(s))
	if c, ok := named[s]; ok {
		return c
	}
	if digits, ok := strings.CutPrefix(s, "#"); ok {
		return hexColour(digits)
	}
	if inside, ok := strings.CutPrefix(s, "rgb("); ok {
		return rgbColour(strings.TrimSuffix(inside, ")"))
	}
	return colour{}
}

func hexColour(digits string) colour {
	if len(digits) == 3 {
		digits = string([]byte{digits[0], digits[0], digits[1], digits[1], digits[2], digits[2]})
	}
	n, err := strconv.ParseUint(digits, 16, 32)
	if err != nil || len(digits) != 6 {
		return colour{}
	}
	return colour{uint8(n >> 16), uint8(n >> 8), uint8(n), true}
}

func rgbColour(inside string) colour {
	parts := strings.FieldsFunc(inside, func(r rune) bool { return r == ',' || r == ' ' })
	if len(parts) != 3 {
		return colour{}
	}
	var v [3]uint8
	for i, p := range parts {
		n, err := strconv.ParseUint(p, 10, 8)
		if err != nil {
			return colour{}
		}
		v[i] = uint8(n)
	}
	return colour{v[0], v[1], v[2], true}
}
