//go:build race

package inbox

const raceDetector = true
