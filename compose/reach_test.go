package compose

import (
	"context"
	"slices"
	"testing"
	"time"

	"galley/compose/markdown"
	"galley/compose/probe"
)

// web answers for every link alike and says how long it was given.
type web struct {
	answer probe.Answer
	given  time.Duration
}

func (w *web) Probe(ctx context.Context, asks []probe.Ask) map[string]probe.Answer {
	end, _ := ctx.Deadline()
	w.given = time.Until(end)
	all := map[string]probe.Answer{}
	for _, a := range asks {
		all[a.URL] = w.answer
	}
	return all
}

// A dead link stops the approval; what readers see stays the same.
func TestRenderedReach(t *testing.T) {
	r := mustRender(t, readFile(t, "testdata", "render", "harbour.md"), harbour())
	before, digest := r.Errors(), r.Digest
	if err := r.Reach(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if r.Errors() != before {
		t.Error("nobody was asked, and yet there are errors")
	}
	w := &web{answer: probe.Answer{State: probe.Gone, Status: 410, Why: "status"}}
	if err := r.Reach(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	dead := slices.IndexFunc(r.Findings, func(f markdown.Finding) bool { return f.Code == "link-dead" })
	if dead < 0 || r.Errors() <= before || r.Findings[0].Level != markdown.Error || r.digest() != digest {
		t.Errorf("%d errors: %+v", r.Errors(), r.Findings)
	}
	if w.given <= 0 || w.given > reachFor {
		t.Errorf("the servers were given %v", w.given)
	}
}
