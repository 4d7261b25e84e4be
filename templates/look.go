package templates

import (
	"embed"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

//go:embed *.html *.css *.txt looks
var embedded embed.FS

// Standard is the name of the look that is used when none is chosen.
const Standard = "standard"

// Look returns the template files. from is a user's folder, whose files lie over
// the built-in ones one by one, or @ and the name of a built-in look ("@plain");
// empty means the standard look. In the result looks/NAME/ holds what each look
// changes, the standard one included, so that a single issue can choose another.
func Look(from string) fs.FS {
	name, builtIn := strings.CutPrefix(from, "@")
	switch {
	case from == "", builtIn && name == Standard:
		return &set{FS: bundle{}}
	case builtIn:
		return &set{FS: over{within(bundle{}, name), bundle{}}}
	}
	return &set{FS: over{os.DirFS(from), bundle{}}}
}

// set is template files with what was read of them. Several
// goroutines may use it.
type set struct {
	fs.FS
	mu   sync.Mutex
	read *Speaker
	at   time.Time // of the catalogue's file, when it was read

	pages map[string]parsed
}

// speaker reads the catalogue anew only when its file has changed.
func (s *set) speaker() (*Speaker, error) {
	if ours(s.FS) {
		return builtIn()
	}
	info, err := fs.Stat(s.FS, Catalogue)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.read == nil || !s.at.Equal(info.ModTime()) {
		if s.read, err = parse(s); err != nil {
			s.read = nil
			return nil, err
		}
		s.at = info.ModTime()
	}
	return s.read, nil
}

// builtIn is our own catalogue. It is read once in the life of a process:
// nothing can change it, and every newsletter and every look on the built-in
// files speaks out of it.
var builtIn = sync.OnceValues(func() (*Speaker, error) { return parse(embedded) })

// ours tells whether the catalogue of template files is the built-in one. The
// folder of a user is asked each time: its catalogue may come or go.
func ours(looks fs.FS) bool {
	switch l := looks.(type) {
	case bundle:
		return true
	case *set:
		return ours(l.FS)
	case over:
		_, err := fs.Stat(l.first, Catalogue)
		return errors.Is(err, fs.ErrNotExist) && ours(l.second)
	}
	return false
}

// ReadDir is that of the files themselves.
func (s *set) ReadDir(name string) ([]fs.DirEntry, error) { return fs.ReadDir(s.FS, name) }

// Known tells whether there is a built-in look of this name.
func Known(name string) bool { return slices.Contains(Names(Look("")), name) }

// Names lists the looks that an issue can choose from a set of template files.
func Names(look fs.FS) []string {
	entries, err := fs.ReadDir(look, "looks")
	if err != nil {
		return nil // no folder, no choice
	}
	var all []string
	for _, e := range entries {
		if e.IsDir() && !slices.Contains(all, e.Name()) {
			all = append(all, e.Name())
		}
	}
	slices.Sort(all)
	return all
}

// Choose returns the template files of one look: its own over those of the set.
// ok is false when the set has no look of this name.
func Choose(look fs.FS, name string) (chosen fs.FS, ok bool) {
	if !slices.Contains(Names(look), name) {
		return look, false
	}
	return &set{FS: over{within(look, name), look}}, true
}

// within is what a look changes.
func within(look fs.FS, name string) fs.FS {
	sub, err := fs.Sub(look, "looks/"+name)
	if err != nil {
		return embed.FS{} // no such name can exist: nothing is changed
	}
	return sub
}

// bundle is the built-in files, with the standard look under its name too.
type bundle struct{}

// Open finds looks/standard/x at x.
func (bundle) Open(name string) (fs.File, error) {
	if rest, ok := strings.CutPrefix(name, "looks/"+Standard); ok && (rest == "" || rest[0] == '/') {
		name = strings.TrimPrefix(rest, "/")
		if name == "" {
			name = "."
		}
	}
	return embedded.Open(name)
}

// ReadDir adds the standard look to the folder of looks.
func (bundle) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := embedded.ReadDir(name)
	if name != "looks" || err != nil {
		return entries, err
	}
	return append(entries, standard{entries[0]}), nil
}

// standard is a folder's entry under the standard look's name.
type standard struct{ fs.DirEntry }

// Name is that of the standard look.
func (standard) Name() string { return Standard }

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

// ReadDir lists what either has; a folder that one of them lacks is no fault.
func (o over) ReadDir(name string) ([]fs.DirEntry, error) {
	first, err := fs.ReadDir(o.first, name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	second, err := fs.ReadDir(o.second, name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return append(first, second...), nil
}
