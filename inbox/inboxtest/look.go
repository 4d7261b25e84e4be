package inboxtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// Message is one message as the server has it.
type Message struct {
	UID      uint32
	Flags    []string // keywords come in lower case
	Received time.Time
	Raw      []byte
}

// Messages are those of a folder, in the order of their UIDs, whatever faults
// are in force.
func (s *Server) Messages(user, folder string) ([]Message, error) {
	var list []Message
	err := s.visit(user, func(c *imapclient.Client) error {
		if _, err := c.Select(folder, nil).Wait(); err != nil {
			return err
		}
		var err error
		list, err = read(c)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("messages in %s of %s: %w", folder, user, err)
	}
	return list, nil
}

func read(c *imapclient.Client) ([]Message, error) {
	all := imap.UIDSet{{Start: 1, Stop: 1<<32 - 1}}
	buffers, err := c.Fetch(all, &imap.FetchOptions{UID: true, Flags: true, InternalDate: true,
		BodySection: []*imap.FetchItemBodySection{{Peek: true}}}).Collect()
	var list []Message
	for _, b := range buffers {
		m := Message{UID: uint32(b.UID), Received: b.InternalDate}
		for _, f := range b.Flags {
			m.Flags = append(m.Flags, string(f))
		}
		for _, part := range b.BodySection {
			m.Raw = part.Bytes
		}
		list = append(list, m)
	}
	return list, err
}

// Folders are the names of a user's folders.
func (s *Server) Folders(user string) ([]string, error) {
	var names []string
	err := s.visit(user, func(c *imapclient.Client) error {
		list, err := c.List("", "*", nil).Collect()
		for _, data := range list {
			names = append(names, data.Mailbox)
		}
		return err
	})
	return names, err
}

// UIDValidity is that of a folder.
func (s *Server) UIDValidity(user, folder string) (uint32, error) {
	u := s.user(user)
	if u == nil {
		return 0, fmt.Errorf("there is no user %s", user)
	}
	data, err := u.Status(folder, &imap.StatusOptions{UIDValidity: true})
	if err != nil {
		return 0, err
	}
	return data.UIDValidity, nil
}

// Remove expunges messages, as another client would.
func (s *Server) Remove(user, folder string, uids ...uint32) error {
	var set imap.UIDSet
	for _, uid := range uids {
		set.AddNum(imap.UID(uid))
	}
	err := s.visit(user, func(c *imapclient.Client) error {
		if _, err := c.Select(folder, nil).Wait(); err != nil {
			return err
		}
		deleted := &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{imap.FlagDeleted}}
		if err := c.Store(set, deleted, nil).Close(); err != nil {
			return err
		}
		return c.UIDExpunge(set).Close()
	})
	s.ring()
	return err
}

// Flag adds flags to a message, as another client would.
func (s *Server) Flag(user, folder string, uid uint32, flags ...string) error {
	add := &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true}
	for _, f := range flags {
		add.Flags = append(add.Flags, imap.Flag(f))
	}
	err := s.visit(user, func(c *imapclient.Client) error {
		if _, err := c.Select(folder, nil).Wait(); err != nil {
			return err
		}
		return c.Store(imap.UIDSetNum(imap.UID(uid)), add, nil).Close()
	})
	s.ring()
	return err
}

// Recreate puts a new INBOX with this UIDVALIDITY (1 to 10,000) into the
// place of the old one, holding raws with UIDs from 1. The other folders keep
// their messages. Connections see it when they next select.
func (s *Server) Recreate(user string, validity uint32, raws ...[]byte) error {
	names, err := s.Folders(user)
	if err != nil {
		return err
	}
	fresh := s.newUser(user, validity)
	for _, name := range names {
		if name == "INBOX" {
			continue
		}
		fresh.Create(name, nil) // fails only where it exists
		list, err := s.Messages(user, name)
		if err != nil {
			return err
		}
		for _, m := range list {
			raws := sized{bytes.NewReader(m.Raw)}
			if _, err := fresh.Append(name, raws, &imap.AppendOptions{Time: m.Received, Flags: flags(m.Flags)}); err != nil {
				return err
			}
		}
	}
	s.mu.Lock()
	s.users[user] = fresh
	s.mu.Unlock()
	for _, raw := range raws {
		if err := s.Deliver(user, raw); err != nil {
			return err
		}
	}
	return nil
}

func flags(names []string) []imap.Flag {
	var list []imap.Flag
	for _, name := range names {
		list = append(list, imap.Flag(name))
	}
	return list
}

// visit logs in past all faults.
func (s *Server) visit(user string, f func(*imapclient.Client) error) error {
	conn, err := s.inside.dial(context.Background())
	if err != nil {
		return err
	}
	c := imapclient.New(conn, nil)
	err = errors.Join(c.WaitGreeting(), c.Login(user, s.options.Users[user]).Wait())
	if err == nil {
		err = f(c)
	}
	conn.Close()
	<-c.Closed()
	return err
}
