package sendtest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// Failure is why a message could not be delivered, in the words of RFC 3464.
type Failure struct {
	Action     string // "failed" or "delayed"; "failed" when empty
	Status     string // RFC 3463; "5.1.1" when empty
	Diagnostic string // the server's reply; one for Status when empty
	MTA        string // who reports, "mx.sink.example" when empty
	Full       bool   // returns the whole message and not its header alone
	At         time.Time
}

func (f *Failure) fill(a Accepted) {
	if f.Action == "" {
		f.Action = "failed"
	}
	if f.Status == "" {
		f.Status = "5.1.1"
	}
	if f.Diagnostic == "" {
		f.Diagnostic = f.Status[:1] + "50 " + f.Status + " no such mailbox"
	}
	if f.MTA == "" {
		f.MTA = "mx.sink.example"
	}
	if f.At.IsZero() {
		f.At = a.Time
	}
}

// DSN writes the delivery status notification (RFC 3464) that a server would
// send to a's envelope sender when it cannot deliver to recipient to after
// all, as it lies in a mailbox: with Return-Path, in CRLF lines. It is nil for
// the null path, which is never answered (RFC 5321 section 4.5.5). The same
// input gives the same octets.
func DSN(a Accepted, to string, f Failure) []byte {
	if a.From == "" {
		return nil
	}
	f.fill(a)
	mark := dsnMark(a, to, f)
	boundary := "=_dsn_" + mark
	var b bytes.Buffer
	writeLines(&b, dsnHeader(a, f, mark))
	writeLines(&b, "--"+boundary+"\nContent-Type: text/plain; charset=us-ascii\n\n"+dsnWords(to, f))
	writeLines(&b, "--"+boundary+"\nContent-Type: message/delivery-status\n\n"+dsnStatus(a, to, f))
	writeLines(&b, "--"+boundary+"\nContent-Type: "+returnedType(f)+"\n\n")
	b.Write(returned(a.Octets, f.Full))
	writeLines(&b, "\n--"+boundary+"--\n")
	return b.Bytes()
}

func writeLines(b *bytes.Buffer, text string) {
	b.WriteString(strings.ReplaceAll(text, "\n", "\r\n"))
}

func dsnHeader(a Accepted, f Failure, mark string) string {
	return fmt.Sprintf(`Return-Path: <>
Date: %s
From: Mail Delivery System <MAILER-DAEMON@%s>
To: <%s>
Subject: Your message came back: %s
Message-ID: <dsn.%s@%s>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
 boundary="=_dsn_%s"

`, f.At.UTC().Format(time.RFC1123Z), f.MTA, a.From, f.Action, mark, f.MTA, mark)
}

// dsnMark tells this report from others about the same message.
func dsnMark(a Accepted, to string, f Failure) string {
	sum := sha256.Sum256([]byte(string(a.Digest[:]) + to + "\n" + f.Action + "\n" + f.At.UTC().String()))
	return hex.EncodeToString(sum[:8])
}

func dsnWords(to string, f Failure) string {
	outcome := "could not be delivered.\nIt will not be tried again."
	if f.Action == "delayed" {
		outcome = "could not be delivered yet.\nIt will be tried again; you need not do anything."
	}
	return fmt.Sprintf(`This is %s.

Your message for <%s> %s
The reason given was:

    %s

`, f.MTA, to, outcome, f.Diagnostic)
}

func dsnStatus(a Accepted, to string, f Failure) string {
	return fmt.Sprintf(`Reporting-MTA: dns; %s
Arrival-Date: %s

Final-Recipient: rfc822; %s
Action: %s
Status: %s
Diagnostic-Code: smtp; %s

`, f.MTA, a.Time.UTC().Format(time.RFC1123Z), to, f.Action, f.Status, f.Diagnostic)
}

func returnedType(f Failure) string {
	if f.Full {
		return "message/rfc822"
	}
	return "text/rfc822-headers"
}

// returned is the message, or its header with the empty line.
func returned(msg []byte, full bool) []byte {
	if full {
		return msg
	}
	if i := bytes.Index(msg, []byte("\r\n\r\n")); i >= 0 {
		return msg[:i+4]
	}
	return msg
}
