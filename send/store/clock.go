//go:build !chaos

package store

import "time"

// skew is how wrong the clock is made for a test: not at all in any binary
// that is not built for that with the tag chaos.
func skew() time.Duration { return 0 }
