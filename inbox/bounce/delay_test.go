package bounce

import "testing"

// TestDelaysAbroad: a server that goes on trying takes nobody off the list, in
// whatever language, although it names a reason that would.
func TestDelaysAbroad(t *testing.T) {
	for _, c := range []struct{ subject, text string }{
		{"Zustellung verzögert", "Die Nachricht an bob@example.net konnte noch nicht zugestellt werden: Domäne nicht gefunden.\nEs wird weiter versucht."},
		{"Statusbericht", "<bob@example.net>: Empfänger unbekannt. Der Zustellversuch wird in den nächsten Tagen wiederholt."},
		{"Remise différée", "Votre message à bob@example.net n'a pas encore été remis (domaine introuvable). De nouvelles tentatives auront lieu."},
		{"Entrega retrasada", "Su mensaje para bob@example.net todavía no se ha entregado: dominio no encontrado."},
		{"Recapito ritardato", "Il messaggio per bob@example.net non è stato ancora recapitato: dominio non trovato."},
		{"Entrega adiada", "A mensagem para bob@example.net ainda não foi entregue: domínio não encontrado."},
		{"Bezorging vertraagd", "Uw bericht aan bob@example.net is nog niet bezorgd: domein niet gevonden."},
		{"Leverans försenad", "Ditt meddelande till bob@example.net har ännu inte levererats: mottagaren hittades inte."},
		{"Levering forsinket", "Meddelelsen til bob@example.net er endnu ikke leveret: modtageren blev ikke fundet."},
		{"Dostarczenie opóźnione", "Wiadomość do bob@example.net nie została jeszcze dostarczona: domena nie istnieje."},
		{"Доставка задерживается", "Письмо для bob@example.net ещё не доставлено: домен не найден."},
		{"配信遅延のお知らせ", "bob@example.net 宛のメールはまだ配信されていません。ドメインが見つかりません。"},
		{"邮件延迟", "发往 bob@example.net 的邮件尚未送达：域名不存在。"},
		{"배달 지연", "bob@example.net 님에게 보낸 메일이 아직 전달되지 않았습니다: 도메인을 찾을 수 없습니다."},
		{"Mail status", "<bob@example.net>: user unknown for now. The next attempt is in four hours."},
		// The last words are of what comes after the delay.
		{"Zustellung verzögert", "Noch nicht zugestellt an bob@example.net: Domäne nicht gefunden. In drei Tagen wird sie endgültig zurückgeschickt."},
	} {
		r := judge(t, "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.net\nTo: b-token@example.org\nSubject: "+c.subject+"\nContent-Type: text/plain; charset=utf-8\n\n"+c.text+"\n")
		if r.Kind != KindBounce || len(r.Reports) != 1 || r.Reports[0].Action != "delayed" || r.Reports[0].Class != None {
			t.Errorf("%s: %+v", c.subject, r)
		}
	}
}

// TestGivenUpAbroad: words of trying, in a report that says it is over.
func TestGivenUpAbroad(t *testing.T) {
	for _, c := range []struct{ subject, text, class string }{
		{"Unzustellbar", "Die Nachricht an bob@example.net konnte endgültig nicht zugestellt werden: Empfänger unbekannt. Sie wurde zuvor verzögert.", Hard},
		{"Unzustellbar", "Nicht zugestellt: bob@example.net: das Postfach ist voll. Es wird nicht weiter versucht.", Soft},
		{"Échec", "Non remis à bob@example.net : utilisateur inconnu. Aucune autre tentative, malgré les nouvelles tentatives.", Hard},
		{"Niedostarczone", "Dostarczenie nie powiodło się do:\n\nbob@example.net\nNie znaleziono adresu e-mail.", Hard},
		{"Onbestelbaar", "De bezorging bij de volgende ontvangers is mislukt:\n\nbob@example.net\nHet adres kan niet worden gevonden.", Hard},
		{"未传递", "未能将邮件传递给:\n\nbob@example.net\n找不到输入的电子邮件地址。", Hard},
	} {
		r := judge(t, "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.net\nTo: b-token@example.org\nSubject: "+c.subject+"\nContent-Type: text/plain; charset=utf-8\n\n"+c.text+"\n")
		if r.Kind != KindBounce || len(r.Reports) != 1 || r.Reports[0].Recipient != "bob@example.net" || r.Reports[0].Class != c.class {
			t.Errorf("%s: %+v", c.subject, r)
		}
	}
}

// TestOnePhraseIsNoOther are words that stood for another reason.
func TestOnePhraseIsNoOther(t *testing.T) {
	for _, c := range []struct{ status, words, class string }{
		{"5.0.0", "550 5.2.1 This mailbox was blocked for long inactivity", Hard},
		{"5.0.0", "550 Connection frequency limited", Ours},
		{"5.0.0", "host mx.example.net said: 550 User not found", Hard},
		{"5.0.0", "550 host mx.example.net[192.0.2.1] not found by name server", Domain},
		{"4.2.1", "450 4.2.1 this mailbox is temporarily disabled", Soft},
		{"5.2.2", "552 5.2.2 Mailbox size limit was exceeded", Soft},
		{"5.0.0", "550 Too many unknown recipients in a session", Ours},
		{"5.0.0", "553 the envelope sender is in our badmailfrom", Ours},
		{"5.0.350", "550 5.0.350 The other server said: 550 user unknown", Hard},
		{"5.0.350", "550 5.0.350 The other server said: 550 looks like spam", Ours},
	} {
		if got := Classify(c.status, c.words); got != c.class {
			t.Errorf("%s %s: %s, want %s", c.status, c.words, got, c.class)
		}
	}
}
