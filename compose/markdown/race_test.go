//go:build race

package markdown

// raceDetector: these packages start nothing beside themselves, so it is shown a
// sample of what costs minutes under it.
const raceDetector = true
