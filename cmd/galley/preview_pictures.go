package main

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"galley/compose"
	"galley/compose/picture"
)

// shownImage is an attached picture as report.json tells of it.
type shownImage struct {
	Name   string `json:"name"`
	File   string `json:"file,omitempty"` // beside issue.html
	Type   string `json:"type,omitempty"`
	Width  int    `json:"width,omitempty"`
	Height int    `json:"height,omitempty"`
	Bytes  int    `json:"bytes,omitempty"`
	Fault  string `json:"fault,omitempty"`
}

// pictures gives the frame what came with the draft: the files of a mail, or
// those that lie beside a draft on disk.
func (c *previewCmd) pictures(f *compose.Frame) {
	for _, e := range c.mailed {
		f.Brought = append(f.Brought, fitted(f.Looks, e))
	}
	if strings.EqualFold(filepath.Ext(c.Draft), ".eml") {
		return
	}
	known := map[string]*compose.Attached{}
	f.Beside = func(ref string) *compose.Attached {
		if a, ok := known[ref]; ok {
			return a
		}
		known[ref] = c.file(f.Looks, ref)
		return known[ref]
	}
}

// fitted makes one picture fit for mail.
func fitted(looks fs.FS, e compose.Enclosed) *compose.Attached {
	a := &compose.Attached{Name: e.Name, ContentID: e.ContentID, File: e.File, Size: len(e.Data)}
	var u *picture.Unreadable
	var err error
	if a.Picture, err = picture.Fit(e.Data); errors.As(err, &u) {
		if a.Fault, err = compose.FaultOf(looks, u); err != nil {
			a.Fault = &compose.Fault{Why: err.Error()} // a catalogue that has not this sentence
		}
	}
	return a
}

// file looks for a picture in the draft's folder or below it; a draft has no
// business elsewhere on the disk. nil when there is none.
func (c *previewCmd) file(looks fs.FS, ref string) *compose.Attached {
	name, err := url.PathUnescape(ref)
	if err != nil || strings.Contains(name, ":") {
		return nil
	}
	root, err := os.OpenRoot(filepath.Dir(c.Draft))
	if err != nil {
		return nil
	}
	defer root.Close()
	file, err := root.Open(filepath.FromSlash(name))
	if err != nil {
		return nil
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, picture.MaxBytes+1))
	if err != nil {
		return nil
	}
	return fitted(looks, compose.Enclosed{Name: name, Data: data, File: true})
}

// writePictures lays the pictures into a folder beside issue.html, since a
// browser knows no cid: addresses.
func (c *previewCmd) writePictures(r *compose.Rendered) error {
	for _, a := range r.Used {
		if a.Picture == nil {
			continue
		}
		if err := os.MkdirAll(filepath.Join(c.Out, "images"), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(c.Out, filepath.FromSlash(fileOf(a))), a.Picture.Data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func fileOf(a *compose.Attached) string { return "images/" + compose.PictureFile(a.Picture) }

// beside leads the addresses of carried pictures to those files.
func beside(page []byte, r *compose.Rendered) []byte {
	for _, a := range r.Used {
		if a.Picture != nil {
			page = bytes.ReplaceAll(page, []byte("cid:"+compose.ContentID(a.Picture)), []byte(fileOf(a)))
		}
	}
	return page
}

func imagesOf(r *compose.Rendered) []shownImage {
	out := []shownImage{}
	for _, a := range r.Used {
		if p := a.Picture; p != nil {
			out = append(out, shownImage{Name: a.Name, File: fileOf(a), Type: p.Type, Width: p.Width, Height: p.Height, Bytes: len(p.Data)})
			continue
		}
		out = append(out, shownImage{Name: a.Name, Fault: a.Fault.Why + " " + a.Fault.Remedy})
	}
	return out
}
