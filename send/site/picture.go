package site

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"galley/send/store"
)

// picturePath is where the pictures of issues stand (compose.PicturePath).
const picturePath = "/image/"

// Pictures is where the pictures of issues are, by the digest of their octets.
type Pictures interface {
	// Picture gives the octets and their media type; found is false when there is
	// no picture of this name.
	Picture(ctx context.Context, tx *store.Tx, name string) (kind string, data []byte, found bool, err error)
}

// picture answers with a picture. Its address names its octets, so nobody needs
// to ask for it twice; whoever reads an issue is not told apart by it.
func (s *Site) picture(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, picturePath)
	var kind string
	var data []byte
	found := false
	if s.Pictures != nil {
		err := s.DB.View(r.Context(), func(tx *store.Tx) (err error) {
			kind, data, found, err = s.Pictures.Picture(r.Context(), tx, name)
			return err
		})
		if err != nil {
			s.failed(w, r, s.Newsletters[0], err)
			return
		}
	}
	if !found {
		s.missing(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Length", strconv.Itoa(len(data)))
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("ETag", strconv.Quote(name))
	// Mail programs on the web load pictures from another origin than ours.
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	if r.Header.Get("If-None-Match") == strconv.Quote(name) {
		h.Del("Content-Length")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if r.Method != http.MethodHead {
		w.Write(data)
	}
}
