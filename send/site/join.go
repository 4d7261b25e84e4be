package site

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"galley/send/door"
	"galley/send/list"
	"galley/send/store"
)

// Door is how readers come in and go out. Each method works in the caller's
// transaction.
type Door interface {
	// Ask keeps a request: the same row for every address.
	Ask(ctx context.Context, tx *store.Tx, r door.Request) error
	// Answer does what an answer to one of the door's mails says, once.
	Answer(ctx context.Context, tx *store.Tx, a door.Answer) (door.Done, error)
	// Depart takes a reader off the list. It may be called twice, and for
	// somebody who is not on the books.
	Depart(ctx context.Context, tx *store.Tx, newsletter string, id int64, how door.How, messageID, evidence string) (left bool, err error)
}

// forms are the pages on which somebody writes an address, and what each may
// ask for; the first is asked for when the form does not say.
var forms = map[string][]door.Kind{
	"subscribe": {door.Join},
	"manage":    {door.Leave, door.Data, door.Forget},
}

// formOf finds the form and the newsletter that a path names: /subscribe for
// the first newsletter, /subscribe/ID for each.
func (s *Site) formOf(path string) (form string, n *Newsletter) {
	form, id, named := strings.Cut(strings.Trim(path, "/"), "/")
	if forms[form] == nil {
		return "", nil
	}
	for _, n := range s.Newsletters {
		if !named || n.ID == id {
			return form, n
		}
	}
	return form, nil
}

// form shows a form, or takes what was written into it. Its answer is the
// same whether an address is known, unknown, suppressed or waiting: all that
// is done is one row in the books (trust.md 2.5).
func (s *Site) form(w http.ResponseWriter, r *http.Request) {
	form, n := s.formOf(r.URL.Path)
	if n == nil {
		s.missing(w, r)
		return
	}
	private(w.Header())
	v := view{Private: true, Action: r.URL.Path, Mailbox: n.Pattern.Mailbox}
	if r.Method != http.MethodPost {
		s.show(w, r, n, http.StatusOK, form, v)
		return
	}
	if err := r.ParseForm(); tooLong(err) {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	a, err := list.ParseAddress(r.PostForm.Get("address"))
	if err != nil {
		v.Fault = true
		s.show(w, r, n, http.StatusBadRequest, form, v)
		return
	}
	if r.PostForm.Get("website") == "" { // people do not see that field; machines fill it in
		err = s.ask(r, n, a, wanted(form, r.PostForm.Get("what")))
	}
	if err != nil {
		s.failed(w, r, n, err)
		return
	}
	s.show(w, r, n, http.StatusOK, "asked", view{Private: true, Mailbox: n.Pattern.Mailbox})
}

// wanted is what a form asks for.
func wanted(form, what string) door.Kind {
	for _, k := range forms[form] {
		if string(k) == what {
			return k
		}
	}
	return forms[form][0]
}

func (s *Site) ask(r *http.Request, n *Newsletter, a list.Address, kind door.Kind) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 10*time.Second)
	defer cancel()
	from := s.client(r)
	return s.DB.Update(ctx, func(tx *store.Tx) error {
		return s.Door.Ask(ctx, tx, door.Request{Newsletter: n.ID, Kind: kind, Address: a, Source: block(from),
			Evidence: "on the page " + r.URL.Path + ", from " + from.String()})
	})
}

// answer is the page behind a link in one of the door's mails: a button, and
// what the button does. Looking at it changes nothing.
func (s *Site) answer(w http.ResponseWriter, r *http.Request) {
	private(w.Header())
	kind, token, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	n, p := s.paper(door.Kind(kind), token)
	switch {
	case n == nil:
		s.missing(w, r)
	case r.Method == http.MethodPost:
		s.answered(w, r, p)
	default:
		s.show(w, r, n, http.StatusOK, "answer", view{Private: true, Kind: kind, Action: r.URL.Path})
	}
}

// paper reads a token, which says nothing of the newsletter when several
// share their key; any of them has the words for the page.
func (s *Site) paper(kind door.Kind, token string) (*Newsletter, door.Paper) {
	for _, n := range s.Newsletters {
		if p, ok := door.ReadToken(n.Keys, kind, token); ok {
			return n, p
		}
	}
	return nil, door.Paper{}
}

// answered does what the button says, in the newsletter whose request it is.
func (s *Site) answered(w http.ResponseWriter, r *http.Request, p door.Paper) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 10*time.Second)
	defer cancel()
	for _, n := range s.Newsletters {
		err := s.DB.Update(ctx, func(tx *store.Tx) error {
			_, err := s.Door.Answer(ctx, tx, door.Answer{Newsletter: n.ID, Paper: p, Yes: true,
				Evidence: "button on the page behind the link of the mail, from " + s.client(r).String()})
			return err
		})
		if errors.Is(err, door.ErrGone) {
			continue
		}
		if err != nil {
			s.failed(w, r, n, err)
			return
		}
		s.show(w, r, n, http.StatusOK, "answered", view{Private: true, Kind: string(p.Kind)})
		return
	}
	s.show(w, r, s.Newsletters[0], http.StatusGone, "gone", view{Private: true, Mailbox: s.Newsletters[0].Pattern.Mailbox})
}
