//go:build chaos

package store

import (
	"os"
	"strings"
	"time"
)

// skew is how wrong the clock is made: the duration that stands in the file
// that GALLEY_CLOCK names, for tests of clocks that jump. Only binaries built
// with the tag chaos have it.
func skew() time.Duration {
	text, err := os.ReadFile(os.Getenv("GALLEY_CLOCK"))
	if err != nil {
		return 0
	}
	d, err := time.ParseDuration(strings.TrimSpace(string(text)))
	if err != nil {
		return 0
	}
	return d
}
