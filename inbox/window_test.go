package inbox

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"galley/inbox/inboxtest"
)

// What came while the program was down is several windows: all of it is dealt
// with in order and filed, but for one whose effect cannot be written, which
// keeps no neighbour waiting and comes when it can.
func TestManyAtOnce(t *testing.T) {
	bubble(t, inboxtest.Options{}, func(r *rig) {
		r.start()
		r.end()
		var all, others []string
		for n := range 3*windowCount + 20 {
			subject := fmt.Sprintf("letter %03d", n)
			r.deliver(letterOf(subject))
			if all = append(all, subject); n != windowCount+7 {
				others = append(others, subject)
			}
		}
		late := all[windowCount+7]
		r.breaks(late)
		r.start()
		time.Sleep(time.Minute)
		if got := once(r.passed()); !slices.Equal(got, others) {
			t.Errorf("passed on: %q", got)
		}
		r.holds("Galley/Letters", others...)
		r.breaks()
		time.Sleep(time.Hour)
		if got := once(r.passed()); len(got) != len(all) || got[len(got)-1] != late {
			t.Errorf("passed on %d of %d, the last is %q", len(got), len(all), got[len(got)-1])
		}
		r.holds("Galley/Letters", all...)
	})
}

// once takes out what the notes hold twice: they do not know that a transaction
// was taken back.
func once(subjects []string) (out []string) {
	for _, s := range subjects {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}
