package site

import (
	"context"
	"mime"
	"net/http"
	"strings"
	"time"

	"galley/send/door"
	"galley/send/list"
	"galley/send/store"
)

// What is kept of how somebody left.
const (
	byButton   = "one-click button of the mail program (RFC 8058)"
	byOwnHand  = "button on the page behind the link in the footer"
	oneClick   = "One-Click"
	clickField = "List-Unsubscribe"
)

// holder is whom a token belongs to.
type holder struct {
	newsletter *Newsletter
	id         int64
	who        list.Subscriber // zero when the token is good and the person was erased
}

// token answers for the address that stands in List-Unsubscribe and in the
// footer of every copy.
func (s *Site) token(w http.ResponseWriter, r *http.Request) {
	h, err := s.holder(r, strings.TrimPrefix(r.URL.Path, "/u/"))
	switch {
	case err != nil:
		s.failed(w, r, s.Newsletters[0], err)
	case h == nil:
		if !s.limited(w, r) { // posts without a valid token are guesses
			s.missing(w, r)
		}
	case r.Method == http.MethodPost:
		s.leave(w, r, h)
	case h.who.State == list.Left || h.who.ID == 0:
		s.left(w, r, h)
	default:
		s.show(w, r, h.newsletter, http.StatusOK, "leave", view{
			Private: true, Address: h.who.Address.Masked(), Action: r.URL.Path,
		})
	}
}

// holder finds whose token it is. Newsletters may share their keys, so the
// one that has the person on its books is meant.
func (s *Site) holder(r *http.Request, token string) (*holder, error) {
	var found *holder
	for _, n := range s.Newsletters {
		id, ok := n.Leaver(token)
		if !ok {
			continue
		}
		h := &holder{newsletter: n, id: id}
		err := s.DB.View(r.Context(), func(tx *store.Tx) (err error) {
			h.who, err = s.Readers.ByID(r.Context(), tx, n.ID, id)
			return err
		})
		if err == nil {
			return h, nil
		}
		if !store.NotFound(err) {
			return nil, err
		}
		if found == nil {
			found = h
		}
	}
	return found, nil
}

// leave takes the holder off the list before it answers. It wants no cookie,
// redirects nowhere and may be asked twice (RFC 8058 section 3.2).
func (s *Site) leave(w http.ResponseWriter, r *http.Request, h *holder) {
	how, evidence := door.InWords, byOwnHand
	click, err := oneClicked(r)
	if err != nil {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	if click {
		how, evidence = door.ByButton, byButton
	}
	// A mail program that hangs up has still asked.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 10*time.Second)
	defer cancel()
	var gone bool
	err = s.DB.Update(ctx, func(tx *store.Tx) (err error) {
		gone, err = s.Door.Depart(ctx, tx, h.newsletter.ID, h.id, how, "", evidence)
		return err
	})
	if err != nil {
		s.failed(w, r, h.newsletter, err)
		return
	}
	if gone {
		s.Log.Info("a reader left", "newsletter", h.newsletter.ID, "subscriber", h.id, "how", evidence)
	}
	s.left(w, r, h)
}

func (s *Site) left(w http.ResponseWriter, r *http.Request, h *holder) {
	s.show(w, r, h.newsletter, http.StatusOK, "left", view{Private: true, Address: h.who.Address.Masked()})
}

// oneClicked tells a mail program's request from the page's own form. Its
// error is that of a body that is too long; one that cannot be understood is
// a form all the same, for the token in the address says all that is needed.
func oneClicked(r *http.Request) (bool, error) {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	var err error
	if kind == "multipart/form-data" { // RFC 8058 section 3.1: should
		err = r.ParseMultipartForm(maxBody)
		if r.MultipartForm != nil {
			defer r.MultipartForm.RemoveAll()
		}
	} else { // may
		err = r.ParseForm()
	}
	if tooLong(err) {
		return false, err
	}
	return r.PostForm.Get(clickField) == oneClick, nil
}
