package send

import (
	"os"
	"testing"
)

// memoryDir is a folder of t in memory where there is one: what a disk does is
// the matter of other tests.
func memoryDir(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "galley")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}
