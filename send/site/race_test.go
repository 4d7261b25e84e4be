//go:build race

package site_test

// raceDetector: it has nothing to find in a million forged tokens, and takes long for them.
const raceDetector = true
