package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strings"
	"time"

	"galley/send/message"
)

// deliver lays a mail into the newsletter's mailbox, as its server does that
// has checked who sent it.
func (r *rig) deliver(from, to string, raw []byte) {
	r.t.Helper()
	domain := from[strings.LastIndexByte(from, '@')+1:]
	head := fmt.Sprintf("Return-Path: <%s>\r\nDelivered-To: %s\r\nReceived: from out.example by mx.test with ESMTP; %s\r\n",
		from, to, time.Now().Format(time.RFC1123Z))
	if from != "" {
		head += fmt.Sprintf("Authentication-Results: mx.test; dkim=pass header.d=%s; dmarc=pass header.from=%s\r\n", domain, domain)
	}
	if err := r.imap.Deliver("letter", append([]byte(head), raw...)); err != nil {
		r.t.Fatal(err)
	}
	r.count++
}

// mail delivers a mail of a person; change may be nil.
func (r *rig) mail(from, to, subject, text string, change func(*message.Mail)) {
	r.t.Helper()
	m := &message.Mail{From: message.Address{Addr: from}, To: []message.Address{{Addr: to}}, Subject: subject, Date: time.Now(),
		MessageID: fmt.Sprintf("<%d.%d@people.example>", r.count, r.rand.Uint64()), Text: []byte(text)}
	if change != nil {
		change(m)
	}
	raw, err := m.Bytes()
	if err != nil {
		r.t.Fatal(err)
	}
	r.deliver(from, m.To[0].Addr, raw)
}

// draft mails a text as the editor's attachment.
func (r *rig) draft(text []byte) {
	r.t.Helper()
	r.mail(crashEditor, crashBox, "the next one", "Here it is.\n", func(m *message.Mail) {
		m.Attachments = []message.Attachment{{Name: "draft.md", Type: "text/markdown; charset=utf-8", Data: text}}
	})
}

// answer replies to a mail of the desk with words.
func (r *rig) answer(p *crashPaper, words string) {
	r.t.Helper()
	to := crashBox
	if len(p.ReplyTo) > 0 {
		to = p.ReplyTo[0].Addr
	}
	p.answer = true
	r.mail(crashEditor, to, "Re: "+p.Subject, words+"\n", func(m *message.Mail) { m.InReplyTo = p.MessageID })
}

// letOut mails issue 12 and lets its proof out.
func (r *rig) letOut() {
	r.t.Helper()
	r.draft(demoDraft)
	r.answer(r.paper("Proof 1 of #12"), "send now")
}

// unsigned is the digest of a message without its signatures, whose time
// differs when a slip is signed again.
func unsigned(raw []byte) [32]byte { return sha256.Sum256(dropFields(raw, "DKIM-Signature")) }

// dropFields takes fields off the header of a message.
func dropFields(raw []byte, names ...string) []byte {
	head, body, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
	var out []byte
	drop := false
	for line := range bytes.Lines(append(head, '\r', '\n')) {
		if line[0] != ' ' && line[0] != '\t' {
			name, _, _ := strings.Cut(string(line), ":")
			drop = false
			for _, n := range names {
				drop = drop || strings.EqualFold(n, name)
			}
		}
		if !drop {
			out = append(out, line...)
		}
	}
	return append(append(out, '\r', '\n'), body...)
}
