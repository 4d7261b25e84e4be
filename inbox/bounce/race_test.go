//go:build race

package bounce

// raceDetector: it has nothing to find in patterns, and takes long for them.
const raceDetector = true
