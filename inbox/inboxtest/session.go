package inboxtest

import (
	"bytes"
	"strings"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
	"github.com/emersion/go-sasl"
)

// session is one login. It corrects the memory server where that differs
// from a decent one, and refuses what it was told to refuse.
type session struct {
	*imapmemserver.UserSession // nil before the login
	s                          *Server
	name                       string
	user                       *imapmemserver.User
	changed                    chan struct{}
	direct                     bool // no faults, no bell
}

// Close forgets the session.
func (x *session) Close() error {
	x.s.mu.Lock()
	delete(x.s.rooms, x)
	x.s.mu.Unlock()
	if x.UserSession == nil {
		return nil
	}
	return x.UserSession.Close()
}

// refuse is the NO that was asked for, if any.
func (x *session) refuse(command string) error {
	if x.direct {
		return nil
	}
	return x.s.refusalOf(command)
}

// Login checks the password.
func (x *session) Login(name, password string) error {
	if err := x.refuse("LOGIN"); err != nil {
		return err
	}
	u := x.s.user(name)
	if u == nil || u.Login(name, password) != nil {
		return imapserver.ErrAuthFailed
	}
	x.enter(name, u)
	return nil
}

func (x *session) enter(name string, u *imapmemserver.User) {
	x.name, x.user = name, u
	x.UserSession = imapmemserver.NewUserSession(u)
	if x.direct {
		return
	}
	x.s.mu.Lock()
	x.s.rooms[x] = true
	x.s.mu.Unlock()
}

// AuthenticateMechanisms are those of the options.
func (x *session) AuthenticateMechanisms() []string {
	var list []string
	if !x.s.options.NoPlain {
		list = append(list, sasl.Plain)
	}
	if x.s.options.Token != "" {
		list = append(list, sasl.OAuthBearer, "XOAUTH2")
	}
	return list
}

// Authenticate begins a SASL exchange.
func (x *session) Authenticate(mechanism string) (sasl.Server, error) {
	switch {
	case mechanism == sasl.Plain && !x.s.options.NoPlain:
		return sasl.NewPlainServer(func(_, name, password string) error { return x.Login(name, password) }), nil
	case mechanism == sasl.OAuthBearer && x.s.options.Token != "":
		return sasl.NewOAuthBearerServer(func(o sasl.OAuthBearerOptions) *sasl.OAuthBearerError {
			return x.bearer(o.Username, o.Token)
		}), nil
	case mechanism == "XOAUTH2" && x.s.options.Token != "":
		return &xoauth2{x: x}, nil
	}
	return nil, &imap.Error{Type: imap.StatusResponseTypeNo, Text: "SASL mechanism not supported"}
}

func (x *session) bearer(name, token string) *sasl.OAuthBearerError {
	u := x.s.user(name)
	if u == nil || token != x.s.options.Token {
		return &sasl.OAuthBearerError{Status: "401", Schemes: "bearer"}
	}
	x.enter(name, u)
	return nil
}

// xoauth2 is the server's side of that mechanism.
type xoauth2 struct {
	x      *session
	failed bool
}

// Next reads the one response, and after a bad one the empty answer to the
// reason.
func (a *xoauth2) Next(response []byte) (challenge []byte, done bool, err error) {
	if a.failed {
		return nil, false, imapserver.ErrAuthFailed
	}
	if response == nil {
		return []byte{}, false, nil
	}
	var name, token string
	for field := range strings.SplitSeq(string(response), "\x01") {
		if v, ok := strings.CutPrefix(field, "user="); ok {
			name = v
		}
		if v, ok := strings.CutPrefix(field, "auth=Bearer "); ok {
			token = v
		}
	}
	if a.x.bearer(name, token) == nil {
		return nil, true, nil
	}
	a.failed = true
	return []byte(`{"status":"400","schemes":"Bearer","scope":"mail"}`), false, nil
}

// Select opens a folder of the user as he is now: Recreate may have put
// another in his place.
func (x *session) Select(name string, options *imap.SelectOptions) (*imap.SelectData, error) {
	if err := x.refuse("SELECT"); err != nil {
		return nil, err
	}
	if u := x.s.user(x.name); u != x.user {
		x.UserSession.Close()
		x.user, x.UserSession = u, imapmemserver.NewUserSession(u)
	}
	return x.UserSession.Select(name, options)
}

// Create makes a folder.
func (x *session) Create(name string, options *imap.CreateOptions) error {
	if err := x.refuse("CREATE"); err != nil {
		return err
	}
	return x.UserSession.Create(name, options)
}

// Search finds messages.
func (x *session) Search(kind imapserver.NumKind, criteria *imap.SearchCriteria, options *imap.SearchOptions) (*imap.SearchData, error) {
	if err := x.refuse("SEARCH"); err != nil {
		return nil, err
	}
	return x.UserSession.Search(kind, criteria, options)
}

// Fetch reads messages; a refusal comes after the data, as real ones do.
func (x *session) Fetch(w *imapserver.FetchWriter, set imap.NumSet, options *imap.FetchOptions) error {
	if err := x.UserSession.Fetch(w, set, options); err != nil {
		return err
	}
	return x.refuse("FETCH")
}

// Append stores a message of the client.
func (x *session) Append(name string, r imap.LiteralReader, options *imap.AppendOptions) (*imap.AppendData, error) {
	if err := x.refuse("APPEND"); err != nil {
		return nil, err
	}
	var raw bytes.Buffer // read before the folder is locked
	if _, err := raw.ReadFrom(r); err != nil {
		return nil, err
	}
	data, err := x.UserSession.Append(name, sized{bytes.NewReader(raw.Bytes())}, options)
	x.s.ring()
	return data, err
}

// Store sets flags.
func (x *session) Store(w *imapserver.FetchWriter, set imap.NumSet, flags *imap.StoreFlags, options *imap.StoreOptions) error {
	if err := x.refuse("STORE"); err != nil {
		return err
	}
	defer x.s.ring()
	return x.UserSession.Store(w, set, flags, options)
}

// Expunge removes what is flagged.
func (x *session) Expunge(w *imapserver.ExpungeWriter, uids *imap.UIDSet) error {
	if err := x.refuse("EXPUNGE"); err != nil {
		return err
	}
	defer x.s.ring()
	return x.UserSession.Expunge(w, uids)
}

// Copy copies. The memory server's answer about no messages is not IMAP.
func (x *session) Copy(set imap.NumSet, name string) (*imap.CopyData, error) {
	if err := x.refuse("COPY"); err != nil {
		return nil, err
	}
	x.s.copying.Lock()
	data, err := x.UserSession.Copy(set, name)
	x.s.copying.Unlock()
	x.s.ring()
	if err != nil || len(data.SourceUIDs) == 0 || x.s.options.NoUIDPlus {
		return nil, err
	}
	return data, nil
}

// Move moves in three steps: the memory server's own dead-locks against
// another in the opposite direction, and tells every EXPUNGE twice.
func (x *session) Move(w *imapserver.MoveWriter, set imap.NumSet, name string) error {
	if err := x.refuse("MOVE"); err != nil {
		return err
	}
	x.s.copying.Lock()
	defer x.s.copying.Unlock()
	data, err := x.UserSession.Copy(set, name)
	if err != nil || len(data.SourceUIDs) == 0 {
		return err
	}
	deleted := &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{imap.FlagDeleted}}
	if err := x.UserSession.Store(nil, data.SourceUIDs, deleted, nil); err != nil {
		return err
	}
	if err := x.UserSession.Expunge(nil, &data.SourceUIDs); err != nil {
		return err
	}
	x.s.ring()
	return w.WriteCopyData(data)
}

// Idle tells changes until stop. It does not use the memory server's, which
// passes over what changed just before.
func (x *session) Idle(w *imapserver.UpdateWriter, stop <-chan struct{}) error {
	for {
		if err := x.Poll(w, true); err != nil {
			return err
		}
		select {
		case <-x.changed:
		case <-stop:
			return nil
		}
	}
}
