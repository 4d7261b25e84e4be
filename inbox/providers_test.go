package inbox

import (
	"strings"
	"testing"

	"galley/inbox/mime"
)

// providers are fields that providers write into mail of persons, in the
// forms in which the corpora have them.
var providers = map[string]string{
	"Fastmail": "X-ME-Sender: <xms:abc>\nX-ME-Received: <xmr:abc>\nX-ME-Proxy-Cause: gggruggv\nX-ME-Proxy: <xmx:abc>\nFeedback-ID: i1a2b3c4d:Fastmail\nX-Mailer: MessagingEngine.com Webmail Interface\nUser-Agent: Cyrus-JMAP/3.11.0-alpha0\nX-ThreadId: T1234",
	"Proton":   "Feedback-ID: 1234567:user:proton\nX-Pm-Message-ID: 0123456789abcdef\nX-Pm-Origin: internal\nX-Pm-Content-Encryption: end-to-end",
	"Gmail":    "X-Google-DKIM-Signature: v=1; a=rsa-sha256; d=1e100.net; s=20230601; h=from; bh=x; b=y\nX-Gm-Message-State: AOJu0Yx\nX-Gm-Gg: ASbGnc\nX-Received: by 2002:a05:6402 with SMTP id x; Thu, 06 Jan 2000 10:00:00 -0800 (PST)\nX-Google-Smtp-Source: AGHT",
	"Outlook": "X-MS-Has-Attach:\nX-MS-TNEF-Correlator:\nx-ms-exchange-messagesentrepresentingtype: 1\nx-ms-publictraffictype: Email\nx-ms-traffictypediagnostic: DB7PR01:EE_\nx-microsoft-antispam: BCL:0;ARA:13230040\nx-ms-exchange-antispam-relay: 0\nX-MS-Exchange-Organization-SCL: 1\nX-MS-Exchange-Organization-AuthAs: Internal\n" +
		"Thread-Topic: #12\nThread-Index: AQHab\nAccept-Language: en-US\nContent-Language: en-US\nmsip_labels:\nX-OriginatorOrg: outlook.example",
	"iCloud":              "X-Proofpoint-GUID: abc\nX-Proofpoint-ORIG-GUID: abc\nX-Apple-Action: JUNK/0\nX-Universally-Unique-Identifier: 0A\nX-Mailer: iPhone Mail (21A329)\nX-Apple-Mail-Remote-Attachments: YES",
	"Yahoo":               "X-YMail-OSG: abc\nX-Sonic-MF: <ada@yahoo.example>\nX-Sonic-ID: 0a\nX-Mailer: WebService/1.1.2 YahooMailIosMobile\nX-YMAILISG: x",
	"GMX":                 "X-UI-Sender-Class: 01bb95c1\nX-Provags-ID: V03:K1:abc\nX-UI-Out-Filterresults: notjunk:1;V03:M01:P0\nX-UI-Message-Type: mail\nSensitivity: Normal\nImportance: normal\nX-Priority: 3",
	"Zoho":                "X-ZohoMailClient: External\nX-Zoho-Virus-Status: 1\nImportance: Medium\nUser-Agent: Zoho Mail",
	"Mail.ru":             "X-Mailer: Mail.Ru Mailer 1.0\nX-7564579A: 646B95376F6C166E\nX-77F55803: 4F1203BC\nX-Mras: Ok\nX-Priority: 3 (Normal)",
	"Mailspring":          "X-Mailer: Mailspring\nX-Mailspring-Msg-Id: x",
	"a helping server":    "X-Spam-Flag: NO\nX-Spam-Status: No, score=-2.1\nX-Virus-Scanned: clamav\nX-Spam-Level:\nX-Loop: another@list.example\nAuto-Submitted: no\nPrecedence: first-class",
	"a receipt asked for": "Disposition-Notification-To: <ada@lab.example>\nReturn-Receipt-To: <ada@lab.example>\nX-Confirm-Reading-To: ada@lab.example",
}

// TestProvidersFieldsProveNoMachine: mail that a person wrote is never a
// machine's or a list's because of what a provider adds (trust.md 2.1).
func TestProvidersFieldsProveNoMachine(t *testing.T) {
	known := KnownTo(desk().Newsletter.Press)
	known.ListID, known.Loop = "quiet.quiet.example", "galley quiet"
	for name, fields := range providers {
		for _, subject := range []string{"Re: #12 - 8 Jan 2000", "a link", "subscribe", "Out of the binder", "Re: Delivery Status Notification (Failure)", "Fwd: Undelivered Mail Returned to Sender"} {
			raw := "Return-Path: <ada@lab.example>\n" + fields + "\nFrom: Ada <ada@lab.example>\nTo: letter@quiet.example\nSubject: " + subject +
				"\nDate: Thu, 6 Jan 2000 17:10:00 -0500\nMessage-ID: <x@lab.example>\nIn-Reply-To: <copy@quiet.example>\n\nWhat is this about?\n\n> From: MAILER-DAEMON\n> 550 5.1.1 no such user\n"
			m, err := mime.Read([]byte(strings.ReplaceAll(raw, "\n", "\r\n")))
			if err != nil {
				t.Fatal(err)
			}
			if tray := Tell(m, known); tray.Kind != "" {
				t.Errorf("%s, %q: %s: %s", name, subject, tray.Kind, tray.Reason)
			}
		}
	}
	t.Logf("%d providers", len(providers))
}
