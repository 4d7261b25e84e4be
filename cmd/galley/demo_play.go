package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"galley/inbox/mime"
	"galley/send"
	"galley/send/message"
	"galley/send/relay"
	"galley/send/store"
)

// patience is how long the demo waits for any one thing to happen.
const patience = 30 * time.Second

// play tells the story: readers write, the editor mails a draft, takes
// a reader's link into it, lets it out, and the figures come back.
func (d *demo) play(ctx context.Context) error {
	d.say("Quiet Machines has a mailbox, %s, and %s on the list.", demoMailbox, d.readers(ctx))
	err := d.until(ctx, "the mailbox to be open", func() (bool, error) { return d.house.boxes[0].Status().Connected, nil })
	if err != nil {
		return err
	}
	if err := d.editorSaysHello(ctx); err != nil {
		return err
	}
	if err := d.readersWrite(); err != nil {
		return err
	}
	if err := d.editorDrafts(ctx); err != nil {
		return err
	}
	if err := d.editorAnswers(ctx); err != nil {
		return err
	}
	if err := d.watchRun(ctx); err != nil {
		return err
	}
	if err := d.readerLeaves(ctx); err != nil {
		return err
	}
	return d.finish(ctx)
}

func (d *demo) readers(ctx context.Context) string {
	n := 0
	d.house.db.View(ctx, func(tx *store.Tx) (err error) {
		n, err = d.house.queue.Audience(ctx, tx, "quiet")
		return err
	})
	return fmt.Sprintf("%d readers", n)
}

// readersWrite delivers what readers answer to an earlier issue.
func (d *demo) readersWrite() error {
	mails := []struct{ from, subject, text string }{
		{"Ada Reader <reader001@readers.example>", "Re: #11 - 14 Nov 2026", "Loved this one. Have you seen https://example.org/binders ?\nA nice one for your Random section.\n\n> Hi!\n> Last week I helped a choir"},
		{"Ben Reader <reader002@readers.example>", "Re: #11 - 14 Nov 2026", "The part about the food bank made me call my own. Thank you.\n\nBen\n"},
		{"Away <reader003@readers.example>", "Automatic reply: #11 - 14 Nov 2026", "I am out of the office until Monday."},
	}
	for i, m := range mails {
		from, err := message.ParseAddress(m.from)
		if err != nil {
			return err
		}
		out := &message.Mail{From: from, To: []message.Address{{Addr: demoMailbox}}, Subject: m.subject, Date: time.Now(),
			MessageID: fmt.Sprintf("<reader-%d@readers.example>", i), InReplyTo: "<issue-11@quiet.example>", Text: []byte(m.text)}
		if strings.HasPrefix(m.subject, "Automatic") {
			out.AutoSubmitted = "auto-replied"
		}
		raw, err := out.Bytes()
		if err != nil {
			return err
		}
		if err := d.imap.Deliver("letter", raw); err != nil {
			return err
		}
		d.say("%s writes: %s", from.Name, m.subject)
	}
	return nil
}

// submit sends a mail of the editor's over SMTP, as her mail program does.
func (d *demo) submit(ctx context.Context, m *message.Mail) error {
	raw, err := m.Bytes()
	if err != nil {
		return err
	}
	r := &relay.Relay{Addr: "127.0.0.1:" + d.ports.smtp, Security: relay.Plain, Auth: &relay.Auth{User: "ines", Password: demoPassword}}
	line, err := r.Line(ctx)
	if err != nil {
		return err
	}
	defer line.Close()
	o := send.Deliver(ctx, line, send.Envelope{From: demoEditor, To: m.To[0].Addr}, raw, nil)
	if o.Verdict != send.Accepted {
		return fmt.Errorf("the demo's own server refused the editor's mail: %s", o.Transcript)
	}
	return nil
}

var ines = message.Address{Name: "Ines Moreau", Addr: demoEditor}

// editorSaysHello answers the first mail of all.
func (d *demo) editorSaysHello(ctx context.Context) error {
	m, _, err := d.mailed(ctx, "Hello from")
	if err != nil {
		return err
	}
	d.say("Galley writes to Ines: %s", m.Subject)
	if err := d.answer(ctx, m, "hello"); err != nil {
		return err
	}
	m, _, err = d.mailed(ctx, "Hello Ines")
	if err != nil {
		return err
	}
	d.say("Galley answers: %s", m.Subject)
	d.show(paragraph(m.Plain, "HOW YOUR MAIL"))
	return nil
}

// editorDrafts mails the draft as an attachment.
func (d *demo) editorDrafts(ctx context.Context) error {
	if err := os.WriteFile(filepath.Join(d.dir, "draft.md"), demoDraft, 0o600); err != nil {
		return err
	}
	d.say("Ines mails her draft, 0012.md, to %s.", demoMailbox)
	return d.submit(ctx, &message.Mail{From: ines, To: []message.Address{{Addr: demoMailbox}}, Subject: "#12", Date: time.Now(),
		MessageID: "<draft-12@ines.example>", Text: []byte("Here is this week's.\n"),
		Attachments: []message.Attachment{{Name: "0012.md", Type: "text/markdown; charset=utf-8", Data: demoDraft}}})
}

// editorAnswers reads each proof and answers it: a reader's link first,
// and then the word that lets it out.
func (d *demo) editorAnswers(ctx context.Context) error {
	letter, _, err := d.mailed(ctx, "Re: #11")
	if err != nil {
		return err
	}
	d.say("Galley passes a letter on to Ines, from %s.", letter.From[0].Name)
	proof, _, err := d.mailed(ctx, "Proof 1 of #12")
	if err != nil {
		return err
	}
	d.say("Galley answers: %s", proof.Subject)
	d.show(head(proof.Plain, 17))
	d.show("...")
	d.show(paragraph(proof.Plain, "WAITING LINKS"))
	if err := d.answer(ctx, proof, "use 1 in Random"); err != nil {
		return err
	}
	proof, raw, err := d.mailed(ctx, "Proof 2 of #12")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(d.dir, "proof.eml"), raw, 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(d.dir, "proof.html"), []byte(proof.HTML), 0o600); err != nil {
		return err
	}
	d.say("Galley answers: %s", proof.Subject)
	d.show(paragraph(proof.Plain, "CHANGED SINCE"))
	return d.answer(ctx, proof, "send now")
}

// paragraph is the part of a mail that begins with a heading.
func paragraph(text, heading string) string {
	_, rest, ok := strings.Cut(text, heading)
	if !ok {
		return ""
	}
	rest, _, _ = strings.Cut(rest, "\n\n")
	return heading + rest
}

func head(text string, n int) string {
	lines := strings.SplitN(text, "\n", n+1)
	return strings.Join(lines[:min(n, len(lines))], "\n")
}

// mailed waits for a mail to the editor whose Subject begins so.
func (d *demo) mailed(ctx context.Context, subject string) (m *mime.Message, raw []byte, err error) {
	err = d.until(ctx, "a mail to the editor: "+subject, func() (bool, error) {
		messages, err := d.imap.Messages("ines", "INBOX")
		if err != nil {
			return false, err
		}
		for _, message := range messages {
			raw = message.Raw
			if m, err = mime.Read(raw); err != nil || strings.HasPrefix(m.Subject, subject) {
				return err == nil, err
			}
		}
		return false, nil
	})
	return m, raw, err
}

// until looks every few milliseconds whether something has happened.
func (d *demo) until(ctx context.Context, what string, happened func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, err := happened()
		if ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waited %v for %s in vain; run it again with --log to see why", patience, what)
		case <-tick.C:
		}
	}
}

// answer replies to a mail of the desk as a mail program does: to its
// Reply-To, with the quote below.
func (d *demo) answer(ctx context.Context, m *mime.Message, words string) error {
	to := demoMailbox
	if len(m.ReplyTo) > 0 {
		to = m.ReplyTo[0].Addr
	}
	var body strings.Builder
	fmt.Fprintf(&body, "%s\n\nOn %s, Quiet Machines desk wrote:\n", words, m.Date.Format("Mon, 2 Jan 2006 at 15:04"))
	for line := range strings.Lines(m.Plain) {
		body.WriteString(">" + strings.TrimRight(" "+line, " \n") + "\n")
	}
	d.say("Ines replies: %s", words)
	return d.submit(ctx, &message.Mail{From: ines, To: []message.Address{{Addr: to}}, Subject: "Re: " + m.Subject, Date: time.Now(),
		MessageID: fmt.Sprintf("<answer-%d@ines.example>", time.Now().UnixNano()), InReplyTo: m.MessageID, Text: []byte(body.String())})
}

// watchRun waits until every reader had a first answer.
func (d *demo) watchRun(ctx context.Context) error {
	said := -1
	return d.until(ctx, "the run", func() (bool, error) {
		run, err := d.issue(ctx)
		if err != nil || run == nil {
			return false, err
		}
		if step := run.Counts[send.Sent] / 50; step > said && run.Counts[send.Sent] > 0 {
			said = step
			d.say("%d of %d copies are with the readers' servers.", run.Counts[send.Sent], run.Total)
		}
		return run.Out || run.Final(), nil
	})
}

// readerLeaves lets one reader answer her copy with the word.
func (d *demo) readerLeaves(ctx context.Context) error {
	copyOf, err := d.copyFor("reader001@readers.example")
	if err != nil {
		return err
	}
	m, err := mime.Read(copyOf)
	if err != nil {
		return err
	}
	out := &message.Mail{From: message.Address{Name: "Ada Reader", Addr: "reader001@readers.example"}, To: []message.Address{{Addr: demoMailbox}},
		Subject: "Re: " + m.Subject, Date: time.Now(), MessageID: "<bye@readers.example>", InReplyTo: m.MessageID, Text: []byte("unsubscribe\n\nBest, Ada\n")}
	raw, err := out.Bytes()
	if err != nil {
		return err
	}
	if err := d.imap.Deliver("letter", raw); err != nil {
		return err
	}
	d.say("Ada Reader answers her copy: unsubscribe")
	return d.until(ctx, "Ada to be off the list", func() (bool, error) {
		active := 0
		err := d.house.db.View(ctx, func(tx *store.Tx) error {
			c, err := d.house.list.Count(ctx, tx, "quiet")
			active = c.Active
			return err
		})
		run, err2 := d.issue(ctx)
		if err := errors.Join(err, err2); err != nil {
			return false, err
		}
		hard := 0
		for _, f := range fates[:min(len(fates), run.Total/10)] {
			if f == "550" || f == "bounce" {
				hard++
			}
		}
		return active == run.Total-1-hard, nil
	})
}

// copyFor is the copy of the issue that a reader's server took.
func (d *demo) copyFor(reader string) ([]byte, error) {
	for _, a := range d.sink.Messages() {
		if len(a.To) == 1 && a.To[0] == reader {
			return a.Octets, nil
		}
	}
	return nil, fmt.Errorf("no copy for %s is at the sink", reader)
}

// finish prints the report and the figures, and says what there is to look at.
func (d *demo) finish(ctx context.Context) error {
	report, _, err := d.mailed(ctx, "Sent: #12")
	if err != nil {
		return err
	}
	d.say("Galley reports: %s", report.Subject)
	d.show(report.Plain)
	if err := d.keepCopies(ctx); err != nil {
		return err
	}
	run, err := d.issue(ctx)
	if err != nil {
		return err
	}
	d.figures(ctx, run)
	return nil
}

// keepCopies writes what is worth looking at into the demo's folder.
func (d *demo) keepCopies(ctx context.Context) error {
	raw, err := d.copyFor("reader002@readers.example")
	if err != nil {
		return err
	}
	m, err := mime.Read(raw)
	if err != nil {
		return err
	}
	var page []byte
	err = d.house.db.View(ctx, func(tx *store.Tx) error {
		e, err := d.house.queue.Page(ctx, tx, "quiet", "0012")
		if err == nil {
			page = e.Web
		}
		return err
	})
	for _, f := range []struct {
		name string
		data []byte
	}{{"issue.eml", raw}, {"issue.html", []byte(m.HTML)}, {"issue.txt", []byte(m.Plain)}, {"archive.html", page}} {
		err = errors.Join(err, os.WriteFile(filepath.Join(d.dir, f.name), bytes.ReplaceAll(f.data, []byte("\r\n"), []byte("\n")), 0o600))
	}
	return err
}

func (d *demo) figures(ctx context.Context, run *send.Run) {
	c := run.Counts
	fmt.Fprintf(d.out, `
#12 went to %d readers: %d taken by their servers, %d still being tried, %d failed, %d doubtful.
%s are left: one wrote unsubscribe, those whose mailbox does not exist are off.

Look at
  %s   what the editor got
  %s   the same as a page
  %s   what a reader got (issue.eml and issue.txt too)
  %s   the page in the archive
`, run.Total, c[send.Sent], c[send.Deferred], c[send.Failed], c[send.Ambiguous], upperFirst(d.readers(ctx)),
		filepath.Join(d.dir, "proof.eml"), filepath.Join(d.dir, "proof.html"), filepath.Join(d.dir, "issue.html"), filepath.Join(d.dir, "archive.html"))
}

func upperFirst(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// invite says how to join in.
func (d *demo) invite() {
	fmt.Fprintf(d.out, `
It stays. Join in as Ines with a mail program of your own:
  IMAP  127.0.0.1 port %s, no encryption, user ines, password %s
  SMTP  127.0.0.1 port %s, no encryption, user ines, password %s
  your address is %s; write to %s
  the newsletter's own mailbox: the same servers, user letter
  the archive: http://127.0.0.1:%s/newsletter_issues
Mail a Markdown text, and answer its proof with: send now. Ctrl-C ends it.
`, d.ports.imap, demoPassword, d.ports.smtp, demoPassword, demoEditor, demoMailbox, d.ports.web)
}
