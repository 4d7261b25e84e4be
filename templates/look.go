package templates

import (
	"embed"
	"errors"
	"io/fs"
	"os"
)

//go:embed *.html *.txt
var embedded embed.FS

// Look returns the template files: those of the user's folder where it has them,
// the embedded ones elsewhere. An empty dir means the embedded ones alone.
func Look(dir string) fs.FS {
	if dir == "" {
		return embedded
	}
	return over{os.DirFS(dir), embedded}
}

// over looks in the first file system, then in the second.
type over struct{ first, second fs.FS }

// Open falls through to the second file system only when the first has no such
// file. Any other fault is the user's to know.
func (o over) Open(name string) (fs.File, error) {
	f, err := o.first.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return o.second.Open(name)
	}
	return f, err
}
