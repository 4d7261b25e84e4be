package site

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
	"time"

	"galley/send"
	"galley/send/store"
)

// archive answers for everything that belongs to no reader: the index of a
// newsletter's issues and the issues themselves.
func (s *Site) archive(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/" && len(s.Newsletters) == 1 && s.Newsletters[0].ArchivePath != "" {
		http.Redirect(w, r, s.Newsletters[0].ArchivePath, http.StatusFound)
		return
	}
	for _, n := range s.Newsletters {
		rest, ok := strings.CutPrefix(r.URL.Path, n.ArchivePath)
		switch {
		case !ok:
		case rest == "" || rest == "/":
			s.index(w, r, n)
			return
		case strings.HasPrefix(rest, "/"):
			s.issue(w, r, n, strings.TrimSuffix(rest[1:], ".html"))
			return
		}
	}
	s.missing(w, r)
}

// index lists the issues, newest first.
func (s *Site) index(w http.ResponseWriter, r *http.Request, n *Newsletter) {
	var editions []*send.Edition
	err := s.DB.View(r.Context(), func(tx *store.Tx) (err error) {
		editions, err = s.Shelf.Published(r.Context(), tx, n.ID)
		return err
	})
	if err != nil {
		s.failed(w, r, n, err)
		return
	}
	var v view
	for _, e := range editions {
		v.Issues = append(v.Issues, entry{n.ArchivePath + "/" + e.Slug, title(e), e.Subtitle, n.longDate(e.Date)})
	}
	w.Header().Set("Cache-Control", "public, max-age=60")
	s.show(w, r, n, http.StatusOK, "archive", v)
}

func title(e *send.Edition) string {
	if e.Title != "" {
		return e.Title
	}
	return "#" + strconv.Itoa(e.Issue)
}

// longDate writes 2022-07-09 as the issue itself does, where the catalogue is in
// the newsletter's language.
func (n *Newsletter) longDate(iso string) string {
	day, err := time.Parse(time.DateOnly, iso)
	if _, unread := n.template(); err != nil || unread != nil || !strings.HasPrefix(strings.ToLower(n.lang()), strings.ToLower(n.pages.words.Lang())) {
		return iso
	}
	long, err := n.pages.words.Phrase("day-year", day)
	if err != nil {
		return iso
	}
	return long
}

// issue shows one issue: the bytes that the editor approved.
func (s *Site) issue(w http.ResponseWriter, r *http.Request, n *Newsletter, slug string) {
	var e *send.Edition
	err := s.DB.View(r.Context(), func(tx *store.Tx) (err error) {
		e, err = s.find(r, tx, n, slug)
		return err
	})
	switch {
	case store.NotFound(err) || err == nil && len(e.Web) == 0:
		s.missing(w, r)
		return
	case err != nil:
		s.failed(w, r, n, err)
		return
	}
	s.allow(w.Header(), e.Web)
	w.Header().Set("Cache-Control", "public, max-age=300")
	w.Header().Set("ETag", strconv.Quote(e.Digest))
	http.ServeContent(w, r, "", e.Frozen, bytes.NewReader(e.Web))
}

// find looks for a slug, and for a number where an issue has words for a slug.
func (s *Site) find(r *http.Request, tx *store.Tx, n *Newsletter, slug string) (*send.Edition, error) {
	e, err := s.Shelf.Page(r.Context(), tx, n.ID, slug)
	number, bad := strconv.Atoi(slug)
	if !store.NotFound(err) || bad != nil {
		return e, err
	}
	all, err2 := s.Shelf.Published(r.Context(), tx, n.ID)
	if err2 != nil {
		return nil, err2
	}
	for _, one := range all {
		if one.Issue == number {
			return s.Shelf.Page(r.Context(), tx, n.ID, one.Slug)
		}
	}
	return nil, err
}
