package compose

import (
	"context"
	"time"

	"galley/compose/lint"
	"galley/compose/probe"
)

// Prober asks web servers whether links are alive; *probe.Prober is one.
type Prober interface {
	Probe(ctx context.Context, asks []probe.Ask) map[string]probe.Answer
}

// reachFor is how long a proof waits for the servers that its links lead to. An
// editor waits for the proof; what has not answered by then is named in it.
const reachFor = 15 * time.Second

// Reach adds to the findings what the servers say that the links lead
// to. It waits for 15 seconds at most and changes nothing that readers see.
// An error means that the catalogue of the mails is faulty.
func (r *Rendered) Reach(ctx context.Context, p Prober) error {
	asks := lint.Asks(r.Doc)
	if p == nil || len(asks) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, reachFor)
	defer cancel()
	answers := p.Probe(ctx, asks)
	r.Findings = lint.Reach(r.Doc, answers, r.Findings)
	for _, a := range asks {
		if !a.Image && answers[a.URL].State == probe.Waiting {
			r.Waiting = append(r.Waiting, a.URL)
		}
	}
	return r.speak()
}
