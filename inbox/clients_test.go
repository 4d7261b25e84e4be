package inbox

import (
	"encoding/base64"
	"fmt"
	"html"
	"mime/quotedprintable"
	"strings"
	"testing"
	"time"

	"galley/compose"
	"galley/inbox/intent"
	"galley/inbox/mime"
	"galley/send"
	letters "galley/send/message"
)

// What people write is the same whichever program they write it in. These
// tests put the same words into answers as thirty mail programs build them,
// and every program must leave the words as they are.

const (
	deskName = "Quiet Machines desk"
	deskAddr = "letter@quiet.example"
)

// proofBody is a paper of the desk, with lines that programs wrap.
const proofBody = `PROOF 1 OF #12: READY
Goes Saturday 8 January, 09:00 in Toronto, once you approve. To 1,604
readers. No errors, nothing to look at.

Reply with one word:
  approve
  hold
  test                               the exact message, to you
  change "old words" to "new words"  a small fix, and a new proof
  help                               all the words
Or send the text again: it becomes proof 2.

  Subject  #12 - 8 Jan 2000
  Preview  The binder by the door; Backups you have met; Slow dashboards

WAITING LINKS (1)
 1   What to Write on the Back of a Binder - Noor Haddad. One reader.
     https://notes.example.net/a/very/long/address/that/no/line/of/a/mail/can/hold/binders?section=3
   use 1 in Random

Proof code, lets this text go and nothing else:
k7qf3m2xw9da4hzt6npr5cvbye
For a friend, do not forward this mail: test friend@example.org

============== below: the issue, as readers get it ==============

Hi!

Last week I helped a choir move its library of scores from one laptop
to another. Forty years of singing, and nobody could say where the list
was kept. Stop me if you have heard this one.

Looking After People
====================

Saying No With a Date in It [1] - Teo Lindqvist

[1] https://blog.example.org/no-with-a-date
`

// proofHTML is the same paper in HTML, where some words are others.
func proofHTML() string {
	var b strings.Builder
	b.WriteString(`<html><body style="margin:0"><table role="presentation" width="100%"><tr><td style="border-left:6px solid #1a7f37;padding:16px 20px"><h1 style="font-size:20px">Proof 1 of #12: ready</h1>`)
	for line := range strings.Lines(strings.TrimPrefix(proofBody, "PROOF 1 OF #12: READY\n")) {
		fmt.Fprintf(&b, "<p>%s</p>\n", html.EscapeString(strings.TrimSpace(line)))
	}
	return b.String() + "</td></tr></table></body></html>"
}

// program builds an answer: its plain text, its HTML, or both.
type program struct {
	name        string
	plain, html func(own string) string
	flowed      bool
	encoding    string
}

func marks(s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		b.WriteString(strings.TrimRight("> "+line, " \n") + "\n")
	}
	return b.String()
}

// wrap breaks lines as programs do that allow 76 characters.
func wrap(s string, width int) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		line = strings.TrimRight(line, "\n")
		for len(line) > width {
			at := strings.LastIndexByte(line[:width], ' ')
			if at <= 2 {
				break
			}
			b.WriteString(line[:at] + "\n")
			line = line[at+1:]
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}

func paragraphs(own, tag string) string {
	var b strings.Builder
	for line := range strings.Lines(own) {
		line = html.EscapeString(strings.TrimSpace(line))
		if line == "" {
			line = "<br>"
		}
		b.WriteString("<" + tag + ">" + line + "</" + strings.Fields(tag)[0] + ">\n")
	}
	return b.String()
}

func breaks(own string) string {
	return strings.ReplaceAll(html.EscapeString(strings.TrimSpace(own)), "\n", "<br>\n")
}

// above is an answer over an attribution and a marked quote.
func above(attribution string) func(string) string {
	return func(own string) string { return own + "\n\n" + attribution + "\n\n" + marks(proofBody) }
}

// block is an answer over header lines and a quote without marks.
func block(head string) func(string) string {
	return func(own string) string { return own + "\n\n" + head + "\n\n" + proofBody }
}

func who() string { return deskName + " <" + deskAddr + ">" }

func gmailHTML(attribution string) func(string) string {
	return func(own string) string {
		return `<div dir="ltr">` + paragraphs(own, "div") + `</div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">` +
			html.EscapeString(attribution) + `<br></div><blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);padding-left:1ex">` +
			proofHTML() + "</blockquote></div>\n"
	}
}

func outlookHTML(from, sent, to, subject string) func(string) string {
	return func(own string) string {
		return `<html xmlns:o="urn:schemas-microsoft-com:office:office"><head><style><!-- p.MsoNormal {margin:0cm} --></style></head><body lang="EN-US"><div class="WordSection1">` +
			paragraphs(own, `p class="MsoNormal"`) + `<p class="MsoNormal"><o:p>&nbsp;</o:p></p><div><div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm"><p class="MsoNormal"><b>` +
			from + `</b> ` + html.EscapeString(who()) + ` <br><b>` + sent + `</b> Thursday, 6 January 2000 18:02<br><b>` + to + `</b> Ines Moreau &lt;ines@ines.example&gt;<br><b>` +
			subject + `</b> Proof 1 of #12: ready<o:p></o:p></p></div></div>` + proofHTML() + `</div></body></html>`
	}
}

func owaHTML(own string) string {
	return `<html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8"><style type="text/css" style="display:none;"> P {margin-top:0;margin-bottom:0;} </style></head><body dir="ltr">` +
		paragraphs(own, `div class="elementToProof" style="font-family: Aptos, sans-serif; font-size: 12pt;"`) +
		`<div id="appendonsend"></div><hr style="display:inline-block;width:98%" tabindex="-1"><div id="divRplyFwdMsg" dir="ltr"><font face="Calibri, sans-serif" style="font-size:11pt" color="#000000"><b>From:</b> ` +
		html.EscapeString(who()) + `<br><b>Sent:</b> Thursday, January 6, 2000 6:02 PM<br><b>To:</b> Ines Moreau &lt;ines@ines.example&gt;<br><b>Subject:</b> Proof 1 of #12: ready</font><div>&nbsp;</div></div>` + proofHTML() + `</body></html>`
}

func appleHTML(foot string) func(string) string {
	return func(own string) string {
		return `<html><head><meta http-equiv="content-type" content="text/html; charset=utf-8"></head><body dir="auto">` + breaks(own) + foot +
			`<div dir="ltr"><br><blockquote type="cite">On Jan 6, 2000, at 6:02 PM, ` + html.EscapeString(who()) + ` wrote:<br><br></blockquote></div><blockquote type="cite"><div dir="ltr">&#65279;` + proofHTML() + `</div></blockquote></body></html>`
	}
}

const (
	english  = "On Thu, Jan 6, 2000 at 6:02 PM " + deskName + " <" + deskAddr + "> wrote:"
	outlookS = "From: " + deskName + " <" + deskAddr + ">\nSent: Thursday, January 6, 2000 6:02 PM\nTo: Ines Moreau <ines@ines.example>\nSubject: Proof 1 of #12: ready"
)

func programs() []program {
	return []program{
		{name: "Gmail", plain: func(own string) string {
			return own + "\n\nOn Thu, Jan 6, 2000 at 6:02 PM Quiet Machines desk <\nletter@quiet.example> wrote:\n\n" + marks(wrap(proofBody, 72))
		}, html: gmailHTML(english)},
		{name: "Gmail, HTML alone", html: gmailHTML(english), encoding: "base64"},
		{name: "Gmail in French", plain: above("Le jeu. 6 janv. 2000 à 18:02, " + who() + " a écrit :"), html: gmailHTML("Le jeu. 6 janv. 2000 à 18:02, " + who() + " a écrit :"), encoding: "quoted-printable"},
		{name: "Gmail in Spanish", plain: above("El jue, 6 ene 2000 a las 18:02, " + deskName + " (<" + deskAddr + ">) escribió:"), encoding: "quoted-printable"},
		{name: "Gmail in Portuguese", plain: above("Em qui., 6 de jan. de 2000 às 18:02, " + who() + " escreveu:"), encoding: "base64"},
		{name: "Gmail in Italian", plain: above("Il giorno gio 6 gen 2000 alle ore 18:02 " + who() + " ha scritto:")},
		{name: "Gmail in German", plain: above("Am Do., 6. Jan. 2000 um 18:02 Uhr schrieb Quiet Machines desk <\nletter@quiet.example>:"), encoding: "quoted-printable"},
		{name: "Gmail in Dutch", plain: above("Op do 6 jan 2000 om 18:02 schreef " + who() + ":")},
		{name: "Gmail in Polish", plain: above("czw., 6 sty 2000 o 18:02 " + who() + " napisał(a):"), encoding: "base64"},
		{name: "Gmail in Russian", plain: above("чт, 6 янв. 2000 г. в 18:02, " + who() + ":"), encoding: "base64"},
		{name: "Gmail in Japanese", plain: above("2000年1月6日(木) 18:02 " + who() + ":"), encoding: "base64"},
		{name: "Gmail in Chinese", plain: above(deskName + " <" + deskAddr + "> 于2000年1月6日周四 18:02写道："), encoding: "base64"},
		{name: "Gmail in Korean", plain: above("2000년 1월 6일 (목) 오후 6:02, " + who() + "님이 작성:"), encoding: "base64"},
		{name: "Gmail in Swedish", plain: above("Den tors 6 jan. 2000 kl 18:02 skrev " + who() + ":")},
		{name: "Gmail in Turkish", plain: above(who() + ", 6 Oca 2000 Per, 18:02 tarihinde şunu yazdı:"), encoding: "quoted-printable"},
		{name: "Gmail in Ukrainian", plain: above("чт, 6 січ. 2000 р. о 18:02 " + deskName + " <" + deskAddr + "> пише:"), encoding: "base64"},
		{name: "Gmail in Czech", plain: above("čt 6. 1. 2000 v 18:02 odesílatel " + who() + " napsal:"), encoding: "base64"},
		{name: "Apple Mail", plain: func(own string) string {
			return own + "\n\n> On 6 Jan 2000, at 18:02, " + who() + " wrote:\n> \n" + marks(proofBody)
		}, html: appleHTML("")},
		{name: "iPhone", plain: func(own string) string {
			return own + "\n\nSent from my iPhone\n\n> On Jan 6, 2000, at 6:02 PM, " + who() + " wrote:\n> \n> \ufeff" + strings.TrimPrefix(marks(proofBody), "> ")
		}, html: appleHTML(`<br id="lineBreakAtBeginningOfSignature"><div dir="ltr">Sent from my iPhone</div>`), encoding: "quoted-printable"},
		{name: "iPhone in German", plain: func(own string) string {
			return own + "\n\nVon meinem iPhone gesendet\n\n> Am 06.01.2000 um 18:02 schrieb " + who() + ":\n> \n" + marks(proofBody)
		}, encoding: "quoted-printable"},
		{name: "iPhone, HTML alone", html: appleHTML(`<br><br>Sent from my iPhone`)},
		{name: "Outlook", plain: block(outlookS), html: outlookHTML("From:", "Sent:", "To:", "Subject:")},
		{name: "Outlook, HTML alone", html: outlookHTML("From:", "Sent:", "To:", "Subject:"), encoding: "quoted-printable"},
		{name: "Outlook in German", plain: block("Von: " + who() + "\nGesendet: Donnerstag, 6. Januar 2000 18:02\nAn: Ines Moreau <ines@ines.example>\nBetreff: Proof 1 of #12: ready"), html: outlookHTML("Von:", "Gesendet:", "An:", "Betreff:")},
		{name: "Outlook in French", plain: block("De : " + who() + "\nEnvoyé : jeudi 6 janvier 2000 18:02\nÀ : Ines Moreau <ines@ines.example>\nObjet : Proof 1 of #12: ready"), html: outlookHTML("De&nbsp;:", "Envoyé&nbsp;:", "À&nbsp;:", "Objet&nbsp;:"), encoding: "quoted-printable"},
		{name: "Outlook in Spanish", plain: block("De: " + who() + "\nEnviado el: jueves, 6 de enero de 2000 18:02\nPara: Ines Moreau <ines@ines.example>\nAsunto: Proof 1 of #12: ready"), encoding: "base64"},
		{name: "Outlook on a phone", plain: func(own string) string {
			return own + "\n\nGet Outlook for iOS<https://aka.example/o0ukef>\n________________________________\n" + outlookS + "\n\n" + proofBody
		}},
		{name: "Outlook on a phone in Dutch", plain: func(own string) string {
			return own + "\n\nOutlook voor iOS<https://aka.example/o0ukef> downloaden\n________________________________\nVan: " + who() + "\nVerzonden: donderdag 6 januari 2000 18:02\nAan: Ines Moreau <ines@ines.example>\nOnderwerp: Proof 1 of #12: ready\n\n" + proofBody
		}},
		{name: "Outlook in the browser", html: owaHTML, encoding: "quoted-printable"},
		{name: "Thunderbird below", plain: func(own string) string {
			return "On 1/6/00 18:02, " + deskName + " wrote:\n" + marks(proofBody) + "\n" + own + "\n"
		}, flowed: true},
		{name: "Thunderbird above, HTML", html: func(own string) string {
			return `<html><head><meta http-equiv="Content-Type" content="text/html; charset=UTF-8"></head><body text="#000000" bgcolor="#FFFFFF"><p>` + breaks(own) + `</p>` +
				`<div class="moz-cite-prefix">On 1/6/00 18:02, ` + deskName + ` wrote:<br></div><blockquote type="cite" cite="mid:proof.12.1@quiet.example">` + proofHTML() + `</blockquote><br></body></html>`
		}},
		{name: "Thunderbird below in German", plain: func(own string) string {
			return "Am 06.01.00 um 18:02 schrieb " + deskName + ":\n" + marks(proofBody) + "\n" + own + "\n\n-- \nInes Moreau\nQuiet Machines\n"
		}, flowed: true, encoding: "quoted-printable"},
		{name: "Proton", plain: func(own string) string {
			return own + "\n\nSent with [Proton Mail](https://proton.example/) secure email.\n\nOn Thursday, January 6th, 2000 at 18:02, " + who() + " wrote:\n\n" + marks(proofBody)
		}, html: func(own string) string {
			return `<div style="font-family: Arial, sans-serif; font-size: 14px;">` + paragraphs(own, "div") + `</div><div class="protonmail_signature_block" style="font-family: Arial;"><div class="protonmail_signature_block-user protonmail_signature_block-empty"></div><div class="protonmail_signature_block-proton">Sent with <a target="_blank" href="https://proton.example/">Proton Mail</a> secure email.</div></div><div class="protonmail_quote">On Thursday, January 6th, 2000 at 18:02, ` +
				html.EscapeString(who()) + ` wrote:<br><blockquote class="protonmail_quote" type="cite">` + proofHTML() + `</blockquote><br></div>`
		}},
		{name: "Yahoo", plain: func(own string) string {
			return own + "\n\n    On Thursday, January 6, 2000 at 06:02:11 PM EST, " + who() + " wrote:  \n \n " + strings.ReplaceAll(proofBody, "\n", "\n ") + "\n"
		}, html: func(own string) string {
			return `<html><head></head><body><div class="ydp1yahoo-style-wrap" style="font-family:Helvetica;font-size:16px;">` + paragraphs(own, `div dir="ltr" data-setdir="false"`) + `</div><div id="ydp2yahoo_quoted_1" class="ydp2yahoo_quoted"><div style="font-family:Helvetica;font-size:13px;"><div>On Thursday, January 6, 2000 at 06:02:11 PM EST, ` +
				html.EscapeString(who()) + ` wrote:</div><div><br></div><div><br></div>` + proofHTML() + `</div></div></body></html>`
		}},
		{name: "mutt", plain: func(own string) string {
			return "* " + who() + " [2000-01-06 18:02 -0500]:\n\n" + marks(proofBody) + "\n" + own + "\n"
		}},
		{name: "mutt, as always", plain: func(own string) string {
			return "On Thu, Jan 06, 2000 at 06:02:11PM -0500, " + deskName + " wrote:\n" + marks(proofBody) + "\n" + own + "\n"
		}},
		{name: "K-9", plain: func(own string) string {
			return own + "\n-- \nSent from my Android device with K-9 Mail. Please excuse my brevity.\n\nOn January 6, 2000 6:02:11 PM EST, " + who() + " wrote:\n" + marks(proofBody)
		}},
		{name: "FairEmail", plain: func(own string) string {
			return "Jan 6, 2000 6:02:11 PM " + who() + ":\n\n" + marks(proofBody) + "\n" + own
		}},
		{name: "GMX", html: func(own string) string {
			return `<html><head></head><body><div style="font-family: Verdana;font-size: 12.0px;">` + paragraphs(own, "div") + `<div>&nbsp;<div name="quote" style="margin:10px 5px 5px 10px; padding: 10px 0 10px 10px; border-left:2px solid #C3D9E5;"><div style="margin:0 0 10px 0;"><b>Gesendet:</b>&nbsp;Donnerstag, 06. Januar 2000 um 18:02 Uhr<br/><b>Von:</b>&nbsp;&quot;` + deskName + `&quot; &lt;` + deskAddr + `&gt;<br/><b>An:</b>&nbsp;ines@ines.example<br/><b>Betreff:</b>&nbsp;Proof 1 of #12: ready</div><div name="quoted-content">` + proofHTML() + `</div></div></div></div></body></html>`
		}},
		{name: "web.de, text", plain: func(own string) string {
			return own + "\n\nGesendet: Donnerstag, 06. Januar 2000 um 18:02 Uhr\nVon: \"" + deskName + "\" <" + deskAddr + ">\nAn: ines@ines.example\nBetreff: Proof 1 of #12: ready\n" + proofBody
		}},
		{name: "Zimbra", plain: func(own string) string {
			return own + "\n\n----- Original Message -----\nFrom: \"" + deskName + "\" <" + deskAddr + ">\nTo: \"Ines Moreau\" <ines@ines.example>\nSent: Thursday, January 6, 2000 6:02:11 PM\nSubject: Proof 1 of #12: ready\n\n" + proofBody
		}},
		{name: "Samsung", plain: func(own string) string {
			return own + "\n\nSent from my Galaxy\n\n-------- Original message --------\nFrom: " + who() + " \nDate: 1/6/00  6:02 PM  (GMT-05:00) \nTo: Ines Moreau <ines@ines.example> \nSubject: Proof 1 of #12: ready \n\n" + proofBody
		}},
		{name: "Fastmail", plain: above("On Thu, Jan 6, 2000, at 6:02 PM, " + deskName + " wrote:"), html: func(own string) string {
			return `<!DOCTYPE html><html><head><title></title></head><body>` + paragraphs(own, "div") + `<div>On Thu, Jan 6, 2000, at 6:02 PM, ` + deskName + ` wrote:<br></div><blockquote type="cite" id="qt" style="">` + proofHTML() + `</blockquote><div><br></div></body></html>`
		}},
		{name: "Notes", plain: func(own string) string {
			return own + "\n\n\n\nFrom:        \"" + deskName + "\" <" + deskAddr + ">\nTo:        \"Ines Moreau\" <ines@ines.example>\nDate:        06.01.2000 18:02\nSubject:        Proof 1 of #12: ready\n\n\n\n" + proofBody
		}},
		{name: "QQ", plain: func(own string) string {
			return own + "\n\n\n------------------&nbsp;原始邮件&nbsp;------------------\n发件人: \"" + deskName + "\" <" + deskAddr + ">;\n发送时间: 2000年1月6日(星期四) 晚上6:02\n收件人: \"Ines\"<ines@ines.example>;\n主题: Proof 1 of #12: ready\n\n\n" + proofBody
		}, encoding: "base64"},
		{name: "Mail.ru", plain: above("Четверг, 6 января 2000, 18:02 -05:00 от " + deskName + " <" + deskAddr + ">:"), encoding: "base64"},
		{name: "Yandex", plain: above("06.01.2000, 18:02, \"" + deskName + "\" <" + deskAddr + ">:"), encoding: "base64"},
		{name: "Superhuman", plain: func(own string) string {
			return own + "\n\nSent via Superhuman ( https://sprh.example/?vip=ines )\n\nOn Thu, Jan 06, 2000 at 6:02 PM, " + deskName + " < letter@quiet.example > wrote:\n\n" + marks(proofBody)
		}},
		{name: "Roundcube", plain: func(own string) string {
			return "On 2000-01-06 18:02, " + deskName + " wrote:\n" + marks(proofBody) + "\n" + own
		}},
		{name: "BlackBerry", plain: func(own string) string {
			return own + "\n\nSent from my BlackBerry 10 smartphone.\n  Original Message  \nFrom: " + deskName + "\nSent: Thursday, January 6, 2000 6:02 PM\nTo: Ines Moreau\nReply To: " + deskName + "\nSubject: Proof 1 of #12: ready\n\n" + proofBody
		}},
		{name: "no quote at all", plain: func(own string) string { return own + "\n" }},
	}
}

// raw is the message as the program submits it.
func (p program) raw(own, to, inReplyTo string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "From: Ines Moreau <ines@ines.example>\nTo: %s\nSubject: Re: Proof 1 of #12: ready\nDate: Thu, 6 Jan 2000 18:10:00 -0500\nMessage-ID: <a@ines.example>\nIn-Reply-To: %s\nReferences: %s\nMIME-Version: 1.0\n", to, inReplyTo, inReplyTo)
	switch {
	case p.plain != nil && p.html != nil:
		b.WriteString("Content-Type: multipart/alternative; boundary=\"=_b\"\n\n--=_b\n")
		b.WriteString(p.part("text/plain", p.plain(own)) + "\n--=_b\n" + p.part("text/html", p.html(own)) + "\n--=_b--\n")
	case p.plain != nil:
		b.WriteString(p.part("text/plain", p.plain(own)))
	default:
		b.WriteString(p.part("text/html", p.html(own)))
	}
	return []byte(strings.ReplaceAll(b.String(), "\n", "\r\n"))
}

func (p program) part(kind, text string) string {
	head := "Content-Type: " + kind + "; charset=utf-8"
	if p.flowed && kind == "text/plain" {
		head += "; format=flowed"
	}
	switch p.encoding {
	case "base64":
		var lines strings.Builder
		for e := base64.StdEncoding.EncodeToString([]byte(strings.ReplaceAll(text, "\n", "\r\n"))); e != ""; {
			n := min(76, len(e))
			lines.WriteString(e[:n] + "\n")
			e = e[n:]
		}
		return head + "\nContent-Transfer-Encoding: base64\n\n" + lines.String()
	case "quoted-printable":
		var q strings.Builder
		w := quotedprintable.NewWriter(&q)
		_, _ = w.Write([]byte(strings.ReplaceAll(text, "\n", "\r\n")))
		_ = w.Close()
		return head + "\nContent-Transfer-Encoding: quoted-printable\n\n" + strings.ReplaceAll(q.String(), "\r\n", "\n")
	}
	return head + "\nContent-Transfer-Encoding: 8bit\n\n" + text
}

// desk is an inbox that reads what editors write, without books.
func desk() *Inbox {
	zone, err := time.LoadLocation("America/Toronto")
	if err != nil {
		zone = time.UTC
	}
	return &Inbox{Newsletter: &Newsletter{ID: "quiet", Address: deskAddr, Press: &send.Newsletter{From: letters.Address{Name: deskName, Addr: deskAddr}, Pattern: send.Pattern{Mailbox: deskAddr}},
		Editors: []Editor{{"Ines Moreau", "ines@ines.example"}}, Zone: zone, SlotHour: 9 * time.Hour}}
}

// understood is what an answer of an editor to the proof asks.
func understood(t *testing.T, in *Inbox, raw []byte) intent.Reading {
	t.Helper()
	m, err := mime.Read(raw)
	if err != nil {
		t.Fatal(err)
	}
	l := &letter{raw: raw, m: m, opening: &compose.Opening{Paper: "proof", Proof: 1, Current: true, Code: "valid", Body: proofBody, HTML: proofHTML()}}
	l.proof.From = "ines@ines.example"
	return intent.Read(in.mail(l, intent.PaperProof, time.Date(2000, 1, 6, 18, 10, 0, 0, in.Newsletter.Zone)))
}

// inWords is a reading in one line, for tables.
func inWords(r intent.Reading) string {
	var out []string
	for _, c := range r.Commands {
		word := string(c.Word)
		if !c.At.IsZero() {
			word += " " + c.At.Format("Mon 15:04")
		}
		for _, a := range c.Args {
			word += " " + a
		}
		out = append(out, word)
	}
	if len(r.Changes) > 0 {
		out = append(out, fmt.Sprintf("changes in the quote: %s", r.Changes[0].Line))
	}
	if len(r.Signature) > 0 {
		out = append(out, "foot: "+strings.Join(r.Signature, " / "))
	}
	if len(out) == 0 || r.Kind != intent.KindCommands && r.Kind != intent.KindHold {
		out = append([]string{string(r.Kind)}, out...)
	}
	return strings.Join(out, "; ")
}

// editorsWords are answers of an editor to a proof, and what they ask.
var editorsWords = []struct{ own, want string }{
	{"approve", "approve"},
	{"Approve", "approve"},
	{"Approved.", "approve"},
	{"APPROVE!", "approve"},
	{"*approve*", "approve"},
	{"“approve”", "approve"},
	{"ok", "approve"},
	{"OK!", "approve"},
	{"Ok, thanks!", "approve"},
	{"Ok thank you", "approve"},
	{"lgtm", "approve"},
	{"LGTM, thanks", "approve"},
	{"Looks good!", "approve"},
	{"Looks good, thank you.\n\nInes", "approve"},
	{"stet", "approve"},
	{"Hi,\n\napprove please\n\nBest wishes,\nInes", "approve"},
	{"Hello desk,\n\napprove\n\nMany thanks\n\nInes Moreau", "approve"},
	{"Please approve.", "approve"},
	{"approve\n\nI.", "approve"},
	{"Bonjour,\n\napprove\n\nMerci,\nInes", "approve"},
	{"Hallo,\n\napprove\n\nViele Grüße\nInes", "approve"},
	{"approve\n\n--\nInes Moreau\nQuiet Machines\nStop. Think. Measure.", "approve"},
	{"approve\n\nInes Moreau\nQuiet Machines | +1 416 555 0100\nhttps://quiet.example", "approve"},
	{"approve saturday 10:30", "approve Sat 10:30"},
	{"ok sunday 9:00", "approve Sun 09:00"},
	{"Approve tomorrow 10am please", "approve Fri 10:00"},
	{"send now", "send Thu 18:10"},
	{"approve anyway", "approve anyway"},
	{"ok?", "note"},
	{"Approve?", "note"},
	{"Is it ok to approve?", "note"},
	{"OK, but fix the title first", "note"},
	{"ok but the second link is dead", "note"},
	{"approve after lunch", "note"},
	{"I approve of the new layout", "note"},
	{"I will approve tonight", "note"},
	{"Approve\nOr rather: could you move the Random section up?", "note"},
	{"approve\n\nPS: does the list get this too?", "note"},
	{"approve\n\nBtw the preview line is too long.", "note"},
	{"Almost ok", "note"},
	{"not ok", "note"},
	{"aprove", "note"},
	{"appprove", "note"},
	{"Oki doki", "note"},
	{"yes!", "yes"},
	{"einverstanden", "note"},
	{"d'accord", "note"},
	{"👍", "note"},
	{"Thanks!", "nothing"},
	{"Thank you so much!\n\nInes", "nothing"},
	{"hold", "hold"},
	{"Hold please", "hold"},
	{"HOLD ON", "hold"},
	{"stop", "stop"},
	{"Stop!!!", "stop"},
	{"STOP the first link is wrong", "stop"},
	{"wait", "hold"},
	{"Wait, Anna wants to read it first", "hold"},
	{"Please wait until tomorrow", "hold"},
	{"Don’t send this yet", "hold"},
	{"do not send", "hold"},
	{"Not yet please", "hold"},
	{"Cancel", "cancel"},
	{"Hi,\n\nplease hold this one. I found a mistake.\n\nInes", "hold"},
	{"change “Forty years” to “Fifty years”", "change Forty years Fifty years"},
	{"change \"Forty years\" to \"Fifty years\"\n\nThanks,\nInes", "change Forty years Fifty years"},
	{"delete “Stop me if you have heard this one.”", "delete Stop me if you have heard this one."},
	{"title The Binder by the Door", "title The Binder by the Door"},
	{"Subtitle: Binders; Backups", "subtitle Binders; Backups"},
	{"use 1 in Random", "use 1"},
	{"Use 1, 4 and 7 in Random.\nDecline 2", "use 1 4 7; decline 2"},
	{"later 3", "later 3"},
	{"credit 2 as Élodie Martin", "credit 2 Élodie Martin"},
	{"suggestions", "suggestions"},
	{"letters please", "letters"},
	{"test", "test"},
	{"test friend@elsewhere.example", "test friend@elsewhere.example"},
	{"Status please", "status"},
	{"who failed?", "note"},
	{"help", "help"},
	{"Help!", "help"},
	{"show", "show"},
	{"undo", "undo"},
	{"skip until 15 january", "skip Sat 09:00"},
	{"use version 3", "use version 3"},
	{"the title is too long", "note"},
	{"Great issue this week. I will read it on the train and tell you tonight.", "note"},
}

// TestProgramsLeaveAnEditorsWords reads every answer from every program, and
// with the race detector, which has nothing to find in it, from every eighth.
func TestProgramsLeaveAnEditorsWords(t *testing.T) {
	in := desk()
	right, all := 0, 0
	for n, p := range programs() {
		if raceDetector && n%8 > 0 {
			continue
		}
		for _, w := range editorsWords {
			all++
			if got := inWords(understood(t, in, p.raw(w.own, deskAddr, "<proof.12.1@quiet.example>"))); got != w.want {
				t.Errorf("%s: %q is %q, want %q", p.name, w.own, got, w.want)
				continue
			}
			right++
		}
	}
	t.Logf("%d answers in %d programs: %d of %d", len(editorsWords), len(programs()), right, all)
}
