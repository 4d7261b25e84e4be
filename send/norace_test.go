//go:build !race

package send

const raceDetector = false
