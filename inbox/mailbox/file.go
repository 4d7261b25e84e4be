package mailbox

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"
)

// Processed is the keyword that marks a message which was dealt with where it
// cannot be moved.
const Processed = "$Processed"

// Done files messages that were dealt with into folder, which is made when it
// is missing; a slash parts its levels, whatever the server writes. It is a
// courtesy to people who read along, so an error is no reason to stop: call it
// again later. Nothing is left to do, and Done returns nil, when the messages
// are gone or their UIDVALIDITY is no longer the folder's. Where the server
// refuses several together each is tried alone.
//
// With MOVE (RFC 6851) the message is moved. Without it, but with UIDPLUS
// (RFC 4315), it is copied, and deleted only after the server has named the
// copy; alone it is expunged then. Otherwise, and with folder "", it is only
// marked as Processed, if the server allows keywords.
func (m *Mailbox) Done(ctx context.Context, uidvalidity uint32, uids []uint32, folder string) error {
	ctx, leave, err := m.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	l, err := m.ready(ctx)
	if err != nil || m.watch.validity != uidvalidity || len(uids) == 0 {
		return err
	}
	err = m.file(ctx, l, uidSet(uids), folder)
	if refused(err) && len(uids) > 1 {
		err = m.fileEach(ctx, l, uids, folder)
	}
	switch {
	case err == nil || refused(err):
		return err
	case ctx.Err() != nil:
		m.dropIfDead(err)
		return context.Cause(ctx)
	}
	m.broke(err)
	return fmt.Errorf("%w: %w", ErrOutOfReach, err)
}

// fileEach files messages one by one; what is refused keeps none of the others
// from its folder.
func (m *Mailbox) fileEach(ctx context.Context, l *line, uids []uint32, folder string) (first error) {
	for _, uid := range uids {
		err := m.file(ctx, l, imap.UIDSetNum(imap.UID(uid)), folder)
		if err != nil && !refused(err) {
			return err
		}
		if first == nil {
			first = err
		}
	}
	return first
}

// file chooses the way. MOVE is looked up in the list that the library itself
// goes by: where that lacks it, its Move deletes without waiting for the copy.
func (m *Mailbox) file(ctx context.Context, l *line, set imap.UIDSet, folder string) error {
	if folder == "" || folder == m.folder() {
		return l.mark(ctx, set)
	}
	name, err := l.name(ctx, folder)
	if err != nil {
		return err
	}
	switch {
	case l.c.Caps().Has(imap.CapMove):
		return l.into(ctx, name, func() error { return l.move(ctx, set, name) })
	case l.caps.Has(imap.CapUIDPlus):
		return l.into(ctx, name, func() error { return l.copyThenDelete(ctx, set, name) })
	}
	return l.mark(ctx, set)
}

// into runs f, and once more with the folder made when the server refuses,
// with or without TRYCREATE (RFC 9051 section 6.4.7).
func (l *line) into(ctx context.Context, name string, f func() error) error {
	err := f()
	if !refused(err) {
		return err
	}
	if made := l.create(ctx, name); made != nil {
		if refused(made) {
			return err // it is there already: the refusal has another reason
		}
		return made
	}
	return f()
}

func (l *line) create(ctx context.Context, name string) error {
	err := l.do(ctx, "CREATE "+name, commandTime, func() error { return l.c.Create(name, nil).Wait() })
	if err != nil {
		return err
	}
	err = l.do(ctx, "SUBSCRIBE "+name, commandTime, func() error { return l.c.Subscribe(name).Wait() })
	if refused(err) {
		return nil // mail programs may not show it by themselves
	}
	return err
}

func (l *line) move(ctx context.Context, set imap.UIDSet, name string) error {
	return l.do(ctx, "UID MOVE to "+name, commandTime, func() error {
		_, err := l.c.Move(set, name).Wait()
		return err
	})
}

// copyThenDelete deletes only what the server has named as copied, since
// others of the set may be gone. Each command waits for the one before.
func (l *line) copyThenDelete(ctx context.Context, set imap.UIDSet, name string) error {
	var copied *imap.CopyData
	err := l.do(ctx, "UID COPY to "+name, commandTime, func() (err error) {
		copied, err = l.c.Copy(set, name).Wait()
		return err
	})
	if err != nil {
		return err
	}
	proven := both(copied.SourceUIDs, set)
	if len(proven) == 0 {
		return l.mark(ctx, set) // RFC 4315 section 3: no COPYUID, no proof
	}
	if err := l.store(ctx, proven, imap.FlagDeleted); err != nil {
		return err
	}
	return l.do(ctx, "UID EXPUNGE", commandTime, func() error { return l.c.UIDExpunge(proven).Close() })
}

// both are the UIDs of set that the server has named.
func both(named, set imap.UIDSet) (out imap.UIDSet) {
	uids, ok := set.Nums()
	if !ok {
		return nil
	}
	for _, uid := range uids {
		if named.Contains(uid) {
			out.AddNum(uid)
		}
	}
	return out
}

// mark sets the keyword, if the folder takes new ones.
func (l *line) mark(ctx context.Context, set imap.UIDSet) error {
	selected := l.c.Mailbox()
	if selected == nil || !takes(selected.PermanentFlags, Processed) {
		return nil
	}
	return l.store(ctx, set, Processed)
}

// takes reports that flag can be kept (RFC 9051 section 7.1, PERMANENTFLAGS);
// servers change the case of keywords.
func takes(permanent []imap.Flag, flag imap.Flag) bool {
	return slices.ContainsFunc(permanent, func(f imap.Flag) bool {
		return f == imap.FlagWildcard || strings.EqualFold(string(f), string(flag))
	})
}

func (l *line) store(ctx context.Context, set imap.UIDSet, flag imap.Flag) error {
	return l.do(ctx, "UID STORE", commandTime, func() error {
		return l.c.Store(set, &imap.StoreFlags{
			Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{flag},
		}, nil).Close()
	})
}

// Append puts a message of our own into folder, which is made when it is
// missing. It uses a connection of its own, because Next may be waiting in an
// IDLE and because a refused APPEND ends the connection. raw has CRLF line
// ends; flags are as IMAP writes them, such as \Seen.
func (m *Mailbox) Append(ctx context.Context, folder string, raw []byte, flags ...string) error {
	l, err := m.open(ctx)
	if err != nil {
		return err
	}
	defer l.logout()
	name, err := l.name(ctx, folder)
	if err != nil {
		return err
	}
	if err := l.exist(ctx, name); err != nil {
		return err
	}
	options := &imap.AppendOptions{}
	for _, f := range flags {
		options.Flags = append(options.Flags, imap.Flag(f))
	}
	return l.do(ctx, "APPEND to "+name, fetchTime, func() error {
		cmd := l.c.Append(name, int64(len(raw)), options)
		_, err := cmd.Write(raw)
		if end := cmd.Close(); err == nil {
			err = end
		}
		if err != nil {
			return err
		}
		_, err = cmd.Wait()
		return err
	})
}

// exist makes the folder if it is missing.
func (l *line) exist(ctx context.Context, name string) error {
	var there []*imap.ListData
	err := l.do(ctx, "LIST "+name, commandTime, func() (err error) {
		there, err = l.c.List("", name, nil).Collect()
		return err
	})
	if err != nil || len(there) > 0 {
		return err
	}
	if err := l.create(ctx, name); err != nil && !refused(err) {
		return err
	}
	return nil // if it could not be made, APPEND says why
}

// space is how a server writes the names of a person's folders.
type space struct{ prefix, delim string }

// name is a folder in the server's writing: Galley/Drafts may have to be
// INBOX.Galley.Drafts (RFC 2342).
func (l *line) name(ctx context.Context, folder string) (string, error) {
	if strings.EqualFold(folder, DefaultFolder) {
		return DefaultFolder, nil
	}
	if l.space == nil {
		s, err := l.namespace(ctx)
		if err != nil {
			return "", err
		}
		l.space = s
	}
	return l.space.name(folder), nil
}

func (s *space) name(folder string) string {
	if s.prefix != "" && strings.HasPrefix(folder, s.prefix) {
		return folder // written for this server already
	}
	if s.delim == "" { // no levels
		return s.prefix + strings.ReplaceAll(folder, "/", "-")
	}
	parts := strings.Split(folder, "/")
	if s.delim != "/" {
		for i := range parts {
			parts[i] = strings.ReplaceAll(parts[i], s.delim, "-")
		}
	}
	return s.prefix + strings.Join(parts, s.delim)
}

// namespace asks for the personal namespace, or for the delimiter alone where
// there are no namespaces (RFC 9051 section 6.3.9, LIST "" "").
func (l *line) namespace(ctx context.Context) (*space, error) {
	if l.caps.Has(imap.CapNamespace) {
		var data *imap.NamespaceData
		err := l.do(ctx, "NAMESPACE", commandTime, func() (err error) {
			data, err = l.c.Namespace().Wait()
			return err
		})
		if err == nil && len(data.Personal) > 0 {
			return &space{data.Personal[0].Prefix, delimiter(data.Personal[0].Delim)}, nil
		}
		if err != nil && !refused(err) {
			return nil, err
		}
	}
	var root []*imap.ListData
	err := l.do(ctx, "LIST", commandTime, func() (err error) {
		root, err = l.c.List("", "", nil).Collect()
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("how the server writes folders: %w", err)
	}
	if len(root) == 0 {
		return &space{delim: "/"}, nil
	}
	return &space{delim: delimiter(root[0].Delim)}, nil
}

func delimiter(r rune) string {
	if r == 0 {
		return ""
	}
	return string(r)
}
