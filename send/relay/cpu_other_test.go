//go:build !linux

package relay

import (
	"testing"
	"time"
)

// cpu is not known here; the benchmarks then report no CPU time.
func cpu(*testing.B) time.Duration { return 0 }
