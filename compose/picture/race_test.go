//go:build race

package picture

// raceDetector: it has nothing to find in the pixels of a photograph, and takes long for them.
const raceDetector = true
