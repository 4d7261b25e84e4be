package site_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"galley/send/store"
	"galley/send/store/storetest"
)

// drawer holds one picture.
type drawer struct{ broken bool }

func (d drawer) Picture(_ context.Context, _ *store.Tx, name string) (string, []byte, bool, error) {
	if d.broken {
		return "", nil, false, errors.New("the books are closed")
	}
	return "image/png", []byte("a picture"), name == "0123.png", nil
}

func TestPicturesOfIssues(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db)
		h.Pictures = drawer{}
		ask := func(method, path, etag string) *httptest.ResponseRecorder {
			r := httptest.NewRequest(method, "https://harbour.example"+path, nil)
			r.Header.Set("If-None-Match", etag)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if got := w.Header().Get("Content-Security-Policy"); got == "" || w.Header().Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%s %s goes without its headers: %v", method, path, w.Header())
			}
			return w
		}
		got := ask(http.MethodGet, "/image/0123.png", "")
		if got.Code != 200 || got.Body.String() != "a picture" || got.Header().Get("Content-Type") != "image/png" ||
			got.Header().Get("Cache-Control") != "public, max-age=31536000, immutable" {
			t.Errorf("%d %v %q", got.Code, got.Header(), got.Body)
		}
		if got := ask(http.MethodHead, "/image/0123.png", ""); got.Code != 200 || got.Body.Len() != 0 || got.Header().Get("Content-Length") != "9" {
			t.Errorf("HEAD: %d %v", got.Code, got.Header())
		}
		if got := ask(http.MethodGet, "/image/0123.png", `"0123.png"`); got.Code != 304 || got.Body.Len() != 0 {
			t.Errorf("known already: %d", got.Code)
		}
		for _, path := range []string{"/image/", "/image/0124.png", "/image/0123.png/", "/image/../u/x"} {
			if got := ask(http.MethodGet, path, ""); got.Code != 404 {
				t.Errorf("%s: %d", path, got.Code)
			}
		}
		if got := ask(http.MethodPost, "/image/0123.png", ""); got.Code != 405 {
			t.Errorf("POST: %d", got.Code)
		}
		h.Pictures = drawer{broken: true}
		if got := ask(http.MethodGet, "/image/0123.png", ""); got.Code != 500 {
			t.Errorf("without books: %d", got.Code)
		}
	})
}
