package main

import (
	"context"
	"fmt"

	"galley/send"
)

// fit looks at what galley check looks at in the DNS, for one newsletter:
// what is a fault there keeps an issue from going to more than a hundred
// (bar 6). A question without an answer is no fault; where there is nothing
// worse, it is the error. The daemon alone asks: the demo and the bench write in
// the name of domains that are nobody's. The web host is left to galley check: from inside a
// network it may look different than from outside.
func (h *house) fit(ctx context.Context, newsletter string) ([]send.Fault, error) {
	n, known := h.cfg.Newsletter(newsletter)
	if !known {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	d := &dnsCheck{ctx: ctx, dns: resolver(h.cfg.Resolver), cfg: h.cfg}
	if err := d.silent(n.Address.Domain()); err != nil {
		return nil, fmt.Errorf("no DNS server answers: %w", err)
	}
	signers := h.queue.Newsletters[n.ID].Signers
	d.newsletter(n, signers)
	for _, s := range signers {
		d.key(s)
	}
	d.reverse()
	var out []send.Fault
	for _, f := range d.out {
		if f.State == stateFault {
			out = append(out, send.Fault{Item: f.Item, What: f.What, Remedy: f.Remedy})
		}
	}
	if len(out) > 0 {
		return out, nil
	}
	return nil, d.mute
}
