package send

import "sync/atomic"

// Octets is a message on its way to a line, in stretches one behind the other:
// CRLF lines, not dot-stuffed, 7-bit. The copies of an issue share most of
// them, and nobody has to copy or to look through those a second time.
type Octets []Stretch

// Stretch is a part of a message: the octets of this copy alone, or those that
// it shares with others.
type Stretch struct {
	Own    []byte
	Shared *Shared
}

// Bytes are the octets of a stretch.
func (s Stretch) Bytes() []byte {
	if s.Shared != nil {
		return s.Shared.Octets
	}
	return s.Own
}

// Shared are octets of many messages. They never change.
type Shared struct {
	Octets []byte
	// Note is what a line has found out about the octets; it is the line's.
	Note atomic.Value
}

// Whole is a message in one stretch.
func Whole(msg []byte) Octets { return Octets{{Own: msg}} }

// Len is the number of octets.
func (o Octets) Len() (n int) {
	for _, s := range o {
		n += len(s.Bytes())
	}
	return n
}

// share makes what all copies of an issue have in common known to lines.
func share(constant [][]byte) []*Shared {
	all := make([]*Shared, len(constant))
	for i, c := range constant {
		all[i] = &Shared{Octets: c}
	}
	return all
}

// interleave puts the stretches of a copy in order: behind each of its own one
// that is shared.
func interleave(dst Octets, own []byte, cuts []int, shared []*Shared) Octets {
	from := 0
	for i, end := range cuts {
		if end > from {
			dst = append(dst, Stretch{Own: own[from:end]})
		}
		dst = append(dst, Stretch{Shared: shared[i]})
		from = end
	}
	return dst
}
