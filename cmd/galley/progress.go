package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"galley/templates"
)

// meter shows how far a long piece of work has come, with its rate and the
// time that remains, when it is watched at a terminal.
type meter struct {
	w     io.Writer
	what  string
	total int // 0 when it is not known
	from  int // what was done before it began
	began time.Time
	shown time.Time
}

// meter starts one; without a terminal it shows nothing.
func (e *env) meter(what string, total int) *meter {
	m := &meter{what: what, total: total, began: time.Now()}
	if terminal(e.stderr) {
		m.w = e.stderr
	}
	return m
}

// terminal tells whether somebody watches w.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// at shows that done pieces are behind us, ten times a second at most.
func (m *meter) at(done int) {
	if m.w == nil || time.Since(m.shown) < 100*time.Millisecond && done != m.total {
		return
	}
	m.shown = time.Now()
	rate := float64(done-m.from) / max(time.Since(m.began).Seconds(), 0.001)
	fmt.Fprintf(m.w, "\r\033[K%s", templates.Thousands(done))
	if m.total > 0 {
		fmt.Fprintf(m.w, " of %s", templates.Thousands(m.total))
	}
	fmt.Fprintf(m.w, " %s, %s a second", m.what, paceOf(rate))
	if m.total > 0 && rate > 0 {
		left := time.Duration(float64(m.total-done) / rate * float64(time.Second))
		fmt.Fprintf(m.w, ", %s to go", span(left))
	}
}

// end clears the line.
func (m *meter) end() {
	if m.w != nil {
		fmt.Fprint(m.w, "\r\033[K")
	}
}
