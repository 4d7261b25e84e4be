//go:build race

package intent

const raceDetector = true
