package main

import (
	"os"
	"runtime/debug"
)

// heapGrowth is by how many percent the heap of the daemon grows before its
// garbage is collected. Go's own 100 holds a mailbox of 20,000 messages that is
// taken in at 85 MiB; with half of it the daemon fits a small machine, for one
// part in twenty of the processor's time.
const heapGrowth = 50

// frugal has the daemon hold little memory, unless the operator says otherwise
// by GOGC in the environment.
func frugal() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(heapGrowth)
	}
}
