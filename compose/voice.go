package compose

import (
	"errors"
	"io/fs"
	"slices"

	"galley/compose/markdown"
	"galley/compose/picture"
	"galley/send/list"
	"galley/templates"
)

// speak writes the words of the findings and repairs, in the language of the
// catalogue. What has its words already keeps them.
func (r *Rendered) speak() error {
	s, err := templates.Read(r.looks)
	if err != nil {
		return err
	}
	for i := range r.Findings {
		if err := spoken(s, &r.Findings[i]); err != nil {
			return err
		}
	}
	for i := range r.Draft.Repairs {
		rep := &r.Draft.Repairs[i]
		if rep.What != "" {
			continue
		}
		if rep.What, _, err = s.Fill(rep.Sentence().Parts()); err != nil {
			return err
		}
	}
	return nil
}

// spoken writes the words of one finding.
func spoken(s *templates.Speaker, f *markdown.Finding) (err error) {
	if f.Message == "" {
		f.Message, f.Remedy, err = s.Fill(f.Sentence().Parts())
	}
	return err
}

// Fault says why a picture cannot be shown, and what helps.
type Fault struct{ Why, Remedy string }

// FaultOf is a picture's fault in the words of the catalogue.
func FaultOf(looks fs.FS, u *picture.Unreadable) (*Fault, error) {
	s, err := templates.Read(looks)
	if err != nil {
		return nil, err
	}
	f := &Fault{}
	f.Why, f.Remedy, err = s.Fill("picture-"+u.Name, u.Gaps)
	return f, err
}

// parted is a sentence that the catalogue has words for.
type parted interface {
	error
	Parts() (name string, gaps []any)
}

// wrong says an error in the words of the catalogue, and one that it has no
// words for in the error's own.
func (n *Newsletter) wrong(err error) string {
	s, read := templates.Read(n.Frame.Looks)
	if p := parted(nil); read == nil && errors.As(err, &p) {
		if text, _, fill := s.Fill(p.Parts()); fill == nil {
			return text
		}
	}
	return err.Error()
}

// faults are the first faults of a file of readers, by line.
func (n *Newsletter) faults(rep list.Report) []list.Fault {
	out := slices.Clone(rep.Faults[:min(len(rep.Faults), 10)])
	for i := range out {
		out[i].What = n.wrong(out[i].Wrong)
	}
	return out
}
