package site

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"galley/templates"
)

// view is what page.html is given; templates/README.md says what for.
type view struct {
	Lang, Name, Tagline, Title, ArchiveURL string
	Private                                bool
	Address, Action                        string
	Kind, Mailbox, SubscribeURL, ManageURL string
	Fault                                  bool // what was written is no address
	Issues                                 []entry
	Style                                  template.CSS // page.css
}

// entry is one issue in the archive's index.
type entry struct{ URL, Title, Subtitle, Date string }

// pages is page.html, page.css and the catalogue, read once.
type pages struct {
	once  sync.Once
	t     *template.Template
	words *templates.Speaker
	style template.CSS
	err   error
}

func (n *Newsletter) template() (*template.Template, error) {
	n.pages.once.Do(func() {
		style, err := fs.ReadFile(n.Looks, "page.css")
		if err != nil {
			n.pages.err = err
			return
		}
		n.pages.style = template.CSS(style)
		if n.pages.words, n.pages.err = templates.Read(n.Looks); n.pages.err == nil {
			n.pages.t, n.pages.err = templates.ReadPage(n.Looks, "page.html")
		}
	})
	return n.pages.t, n.pages.err
}

// check fills every page with nothing in it.
func (n *Newsletter) check() error {
	for _, name := range []string{"leave", "left", "archive", "missing", "notice", "subscribe", "manage", "asked", "answer", "answered", "gone"} {
		if _, err := n.fill(name, view{}); err != nil {
			return fmt.Errorf("newsletter %s: template page.html: %w", n.ID, err)
		}
	}
	return nil
}

func (n *Newsletter) fill(name string, v view) ([]byte, error) {
	t, err := n.template()
	if err != nil {
		return nil, err
	}
	v.Lang, v.Name, v.Tagline, v.ArchiveURL, v.Style = n.lang(), n.Name, n.Tagline, n.ArchivePath, n.pages.style
	v.SubscribeURL, v.ManageURL = "/subscribe/"+url.PathEscape(n.ID), "/manage/"+url.PathEscape(n.ID)
	if v.Title, err = n.pages.words.Phrase("page-title", map[string]string{"Page": name, "Kind": v.Kind}); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.ExecuteTemplate(&b, name, v)
	return b.Bytes(), err
}

func (n *Newsletter) lang() string {
	if n.Lang == "" {
		return "en"
	}
	return n.Lang
}

// show answers with one of the small pages.
func (s *Site) show(w http.ResponseWriter, r *http.Request, n *Newsletter, code int, name string, v view) {
	body, err := n.fill(name, v)
	if err != nil {
		s.Log.Error("site: template page.html", "newsletter", n.ID, "page", name, "err", err)
		http.Error(w, http.StatusText(code), code) // what was asked is done or not, with or without looks
		return
	}
	s.allow(w.Header(), body)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(code)
	if r.Method != http.MethodHead {
		w.Write(body)
	}
}

// allow has the browser take a page's own styles and no others.
func (s *Site) allow(h http.Header, page []byte) {
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", s.policy(hashes(page)))
}

// hashes lists the style elements of a page as a policy names them (CSP
// level 3 section 2.3.1). The page is ours: approved, or made by template.
func hashes(page []byte) string {
	var b strings.Builder
	for {
		at := bytes.Index(page, []byte("<style"))
		if at < 0 {
			return b.String()
		}
		_, page, _ = bytes.Cut(page[at:], []byte(">"))
		style, rest, _ := bytes.Cut(page, []byte("</style"))
		sum := sha256.Sum256(bytes.ReplaceAll(style, []byte("\r\n"), []byte("\n"))) // as the browser reads it
		b.WriteString(" 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'")
		page = rest
	}
}

func tooLong(err error) bool {
	var e *http.MaxBytesError
	return errors.As(err, &e)
}
