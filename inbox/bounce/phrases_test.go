package bounce

import "testing"

// TestPhrases reads what servers of many makes and countries say. The words are
// those of their diagnostics; the addresses are ours.
func TestPhrases(t *testing.T) {
	for class, lines := range map[string][]string{
		Hard: {
			"This user doesn't have a yahoo.com account (ada@yahoo.example) [-5]", "MAILBOX NOT FOUND", "Message was not accepted -- invalid mailbox. Local mailbox ada@mail.example is unavailable: user not found",
			"User Ada (ada@notes.example) not listed in Domino Directory", "User ada@notes.example not listed in public Name & Address Book", "RESOLVER.ADR.RecipNotFound; not found", "RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",
			"RESOLVER.ADR.ExRecipNotFound; not found", "Unknown user: ada@imail.example", "invalid mailbox path", "unknown user account", "Mailbox does not exist", "<ada@example.net> User doesn't exist: ada@example.net",
			"This account has been disabled or discontinued [#102].", "sorry, no mailbox here by that name. (#5.1.1)", "Adresse d au moins un destinataire invalide. Invalid recipient. OFR_416 [416]", "Recipient Not Found", "User not found: ada@163.example",
			"The email account that you tried to reach does not exist.", "The email account that you tried to reach is disabled.", "unrecognised-OR-name", "Addressee unknown", "No such recipient here", "Not a valid recipient", "Account inactive",
			"Benutzer unbekannt", "Empfänger nicht gefunden", "Das Postfach existiert nicht", "Die Adresse ist ungültig: Empfänger unbekannt", "Utilisateur inconnu", "Destinataire inconnu", "l'adresse n'existe pas", "Adresse inexistante", "boîte aux lettres introuvable",
			"Usuario desconocido", "El destinatario no existe", "La dirección no se encuentra", "buzón inexistente", "Utente sconosciuto", "casella inesistente", "Il destinatario non è stato trovato", "L'indirizzo non esiste",
			"Usuário desconhecido", "destinatário não encontrado", "endereço inexistente", "Gebruiker onbekend", "Ontvanger bestaat niet", "Het adres is niet gevonden", "Nie ma takiego użytkownika", "Użytkownik nieznany", "adres nie istnieje",
			"Mottagaren hittades inte", "Okänd mottagare", "Modtageren findes ikke", "Ukendt modtager", "Mottakeren finnes ikke", "Tuntematon vastaanottaja", "Vastaanottajaa ei löydy", "Uživatel neexistuje", "Neznámý příjemce", "A címzett nem létezik", "Ismeretlen felhasználó",
			"Пользователь не найден", "Получатель не существует", "Нет такого пользователя", "Почтовый ящик не существует", "Неизвестный получатель", "Користувача не існує", "Kullanıcı bulunamadı", "Alıcı bulunamadı", "Ο παραλήπτης δεν υπάρχει",
			"宛先不明", "ユーザーが見つかりません", "このメールアドレスは存在しません", "收件人不存在", "用户不存在", "找不到收件人", "地址无效", "수신자를 찾을 수 없습니다", "존재하지 않는 계정입니다", "המשתמש אינו קיים", "المستخدم غير موجود",
		},
		Soft: {
			"user mailbox exceeds allowed size", "Mailbox full", "Over quota", "mailbox is full: retry timeout exceeded", "STOREDRV.Deliver; mailbox full. The following information should help identify the cause", "account is full", "User is over the quota. You can try again later.",
			"Recipient's mailbox is full, message returned to sender. (#5.2.2)", "The recipient's inbox is out of storage space", "maximum-time-expired", "QUEUE.Expired; message expired", "Sorry, the user's mailbox is over quota",
			"Das Postfach ist voll", "Speicherplatz erschöpft", "boîte pleine", "boîte aux lettres saturée", "quota dépassé", "buzón lleno", "casella piena", "caixa postal cheia", "De postbus is vol", "Skrzynka jest przepełniona", "Brevlådan är full", "Postkassen er fuld",
			"Postilaatikko on täynnä", "Schránka je plná", "A postaláda megtelt", "Почтовый ящик переполнен", "Posta kutusu dolu", "メールボックスがいっぱいです", "容量超過", "邮箱已满", "信箱空間不足", "편지함 용량 초과", "תיבת הדואר מלאה", "علبة البريد ممتلئة",
		},
		Domain: {
			"Host or domain name not found. Name service error for name=nowhere.example type=MX", "Unrouteable address", "DNS Error: DNS type 'mx' lookup of nowhere.example responded with code NXDOMAIN", "Die Domäne wurde nicht gefunden", "domaine inexistant", "El dominio no existe",
			"dominio inesistente", "Domínio não encontrado", "Domein niet gevonden", "Домен не найден", "domena nie istnieje", "域名不存在", "ドメインが見つかりません", "도메인을 찾을 수 없습니다",
		},
		Ours: {
			"RESOLVER.RST.NotAuthorized; not authorized", "Message rejected due to content restrictions", "blocked using zen.example", "Email rejected per policy", "csi.mimecast.org Poor Reputation Sender", "TRANSPORT.RULES.RejectMessage; the message was rejected by organization policy",
			"Die Nachricht wurde als Spam abgelehnt", "aufgrund einer Richtlinie abgelehnt", "message refusé par la politique de sécurité", "rechazado por política", "respinto: contenuto indesiderato", "отклонено как спам", "письмо отклонено политикой безопасности", "被识别为垃圾邮件", "受信拒否されました", "스팸으로 차단되었습니다",
		},
	} {
		for _, line := range lines {
			if got := phraseClass(line); got != class {
				t.Errorf("%q is %q, want %s", line, got, class)
			}
		}
	}
}
