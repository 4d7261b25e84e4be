package relay

import (
	"syscall"
	"testing"
	"time"
)

// rusageThread asks getrusage(2) about the calling thread; the package syscall
// has no name for it.
const rusageThread = 1

// cpu is the CPU time of the calling thread so far.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(rusageThread, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
