package compose

import (
	"galley/compose/markdown"
	"galley/compose/picture"
	"galley/templates"

	"io/fs"
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
