package site

import (
	"context"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"galley/send"
	"galley/send/door"
	"galley/send/list"
	"galley/send/store"
)

// maxBody is the longest body of a request, in octets (trust.md section 5).
// That of a one-click request has 26 or, as multipart, some hundreds.
const maxBody = 64 << 10

// maxPath is the longest path in octets that is looked up in the books.
const maxPath = 300

// Readers is the list as the site sees it.
type Readers interface {
	// ByID gives one person; store.NotFound tells of nobody.
	ByID(ctx context.Context, tx *store.Tx, newsletter string, id int64) (list.Subscriber, error)
}

// Shelf is where the issues are that went out.
type Shelf interface {
	// Published lists them, newest first, without their pages.
	Published(ctx context.Context, tx *store.Tx, newsletter string) ([]*send.Edition, error)
	// Page gives the one with a slug, whole; store.NotFound tells of none.
	Page(ctx context.Context, tx *store.Tx, newsletter, slug string) (*send.Edition, error)
}

// Site answers for all newsletters of one host. The first of them lends its
// looks to the pages that belong to none.
type Site struct {
	DB          *store.DB
	Readers     Readers
	Door        Door
	Shelf       Shelf
	Pictures    Pictures       // nil: there are none
	Newsletters []*Newsletter  // at least one
	Proxies     []netip.Prefix // whose X-Forwarded-For is believed
	Log         *slog.Logger

	limit limit
}

// Newsletter is one newsletter as its pages show it.
type Newsletter struct {
	*send.Newsletter
	Tagline string
	Lang    string // BCP 47; "" is en
	Looks   fs.FS  // with page.html, as templates.Look gives it

	pages pages
}

// Check tells whether the pages can be shown: a fault in somebody's own
// page.html is better told at the start than to a reader.
func (s *Site) Check() error {
	for _, n := range s.Newsletters {
		if err := n.check(); err != nil {
			return err
		}
	}
	return nil
}

// ServeHTTP answers one request.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.secure(w.Header())
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	path := r.URL.Path
	switch {
	case strings.HasPrefix(path, "/u/"):
		private(w.Header())
		s.methods(w, r, s.token, http.MethodGet, http.MethodHead, http.MethodPost)
	case len(path) > maxPath:
		s.missing(w, r)
	case isAnswer(path):
		s.counted(w, r, s.answer)
	case s.isForm(path):
		s.counted(w, r, s.form)
	case path == "/health":
		s.methods(w, r, s.health, http.MethodGet, http.MethodHead)
	case strings.HasPrefix(path, picturePath):
		s.methods(w, r, s.picture, http.MethodGet, http.MethodHead)
	case path == "/robots.txt":
		s.methods(w, r, robots, http.MethodGet, http.MethodHead)
	default:
		s.methods(w, r, s.archive, http.MethodGet, http.MethodHead)
	}
}

// isAnswer tells the pages behind the links of the door's mails.
func isAnswer(path string) bool {
	kind, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return slices.Contains(door.Answerable, door.Kind(kind)) && strings.Count(path, "/") > 1
}

func (s *Site) isForm(path string) bool {
	form, n := s.formOf(path)
	return form != "" && n != nil
}

// counted serves a page that may be posted to, by people in their own time.
func (s *Site) counted(w http.ResponseWriter, r *http.Request, serve http.HandlerFunc) {
	private(w.Header())
	if !s.limited(w, r) {
		s.methods(w, r, serve, http.MethodGet, http.MethodHead, http.MethodPost)
	}
}

// methods lets through the methods that an address has.
func (s *Site) methods(w http.ResponseWriter, r *http.Request, serve http.HandlerFunc, allowed ...string) {
	for _, m := range allowed {
		if r.Method == m {
			serve(w, r)
			return
		}
	}
	w.Header().Set("Allow", strings.Join(append(allowed, http.MethodOptions), ", "))
	if r.Method == http.MethodOptions {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.WriteHeader(http.StatusMethodNotAllowed) // RFC 9110 section 15.5.6
}

// secure sets what every answer carries (trust.md section 5); pages add the
// hashes of their styles.
func (s *Site) secure(h http.Header) {
	h.Set("Content-Security-Policy", s.policy(""))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "strict-origin-when-cross-origin")
	if strings.HasPrefix(s.Newsletters[0].Host, "https://") {
		h.Set("Strict-Transport-Security", "max-age=31536000") // RFC 6797; over plain HTTP it must not be sent
	}
}

// private keeps a page with a token in its address out of caches, search
// engines and the logs of the site that somebody goes to next.
func private(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("X-Robots-Tag", "noindex, nofollow")
	h.Set("Referrer-Policy", "no-referrer")
}

// policy is the content security policy of a page. A site without https, as on
// the editor's own machine, may show its own pictures too.
func (s *Site) policy(styles string) string {
	pictures := "https: data:"
	if !strings.HasPrefix(s.Newsletters[0].Host, "https://") {
		pictures = "'self' " + pictures
	}
	return "default-src 'none'; style-src 'self'" + styles + "; img-src " + pictures + "; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
}

// health says whether the books answer.
func (s *Site) health(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if err := s.DB.Ping(ctx); err != nil {
		s.Log.Error("health: the database does not answer", "err", err)
		w.WriteHeader(http.StatusServiceUnavailable)
		w.Write([]byte("the database does not answer\n"))
		return
	}
	w.Write([]byte("ok\n"))
}

func robots(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Write([]byte("User-agent: *\nDisallow: /u/\nDisallow: /confirm/\nDisallow: /move/\nDisallow: /back/\nDisallow: /forget/\nDisallow: /manage\n"))
}

// failed answers when the books cannot be read or written.
func (s *Site) failed(w http.ResponseWriter, r *http.Request, n *Newsletter, err error) {
	s.Log.Error("site: a page failed", "newsletter", n.ID, "err", err)
	w.Header().Set("Retry-After", "60")
	w.Header().Set("Cache-Control", "no-store")
	s.show(w, r, n, http.StatusInternalServerError, "notice", view{Private: true, Kind: "failed"})
}

// missing answers for every address that leads nowhere, and for every wrong
// token: the same words, whatever was wrong with it.
func (s *Site) missing(w http.ResponseWriter, r *http.Request) {
	s.show(w, r, s.Newsletters[0], http.StatusNotFound, "missing", view{})
}
