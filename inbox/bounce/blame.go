package bounce

import "regexp"

// Whom a refusal speaks of. A server that says "unknown" or "does not exist"
// may mean the one who writes as well as the one who is written to; only the
// second is a dead address.

// senderWords name the one who sent the mail, or the machine it came from.
var senderWords = gate(`\bsenders?('s)?\b|\b(your|client|sending|connecting) (\S+ )?(ip|host|server|domain|hostname|network|mta|isp|provider|country|relay|system)\b|absender|exp[ée]diteur|remitente|mittente|remetente|afzender|nadawc|отправител|відправник|gönderen|gönderici|avsändare|avsender|afsender|lähettäj|odes[ií]latel|odosielateľ|feladó|expeditor|αποστολέ|发件人|寄件[者人]|發件人|发信人|送信者|送信元|差出人|발신자|보낸 ?사람|השולח|المرسل`)

// readerWords name the one who was written to.
var readerWords = gate(`recipient|addressee|\b(user|mail ?box|inbox|alias|rcpt)\b|empfänger|benutzer|postfach|destinataire|utilisateur|destinatari|usuari|utente|casella|destinatári|ontvanger|gebruiker|odbiorc|użytkownik|получател|адресат|пользовател|ящик|收件人|用户|用戶|宛先|ユーザ|受信者|수신자|사용자|alıcı|kullanıcı|mottagare|mottaker|modtager|användare|vastaanottaj|příjemc|uživatel|címzett|destinatar|παραλήπτ|χρήστ`)

// faultWords say of anybody that he is unknown or unwelcome.
var faultWords = gate(`unknown|invalid|illegal|not (be )?(known|found|exist|valid|allowed|accepted|permitted|listed|resolved?|trusted|verified)|(does|do|did|is|was|could|can)(n.t| not)|reject|refus|denied|suspended|blocked|banned|disabled|closed|verif|\bha(s|ve) no\b|\bno\b|must|can ?not|unable|failed|fail\b` +
	`|unbekannt|existiert nicht|ungültig|gesperrt|abgelehnt|inconnu|n'existe pas|invalide|refusé|bloqué|desconocid|no existe|inválid|rechazad|sconosciut|inesistente|non (esiste|valid)|rifiutat|respint|desconhecid|inexistente|não existe|recusad|onbekend|bestaat niet|ongeldig|geweigerd|nieznan|nie istnieje|odrzucon` +
	`|неизвест|не (найден|существует)|отклон[её]н|заблокирован|невідом|bilinmiyor|bulunamad|geçersiz|okänd|ukendt|ukjent|finns inte|findes ikke|finnes ikke|tuntematon|neznám|neexist|ismeretlen|nem létezik|necunoscut|inexistent|άγνωστ|δεν υπάρχει|不存在|找不到|无效|無效|存在し|見つかり|不明|拒否|拒绝|拒絕|찾을 수 없|존재하지|알 수 없|차단|거부|לא (קיים|ידוע)|غير (معروف|موجود)`)

var clauseEnd = regexp.MustCompile(`[.;!?] |[。；！？\n]`)

// blamesSender tells whether a clause of text finds fault with the sender and
// does not speak of the reader.
func blamesSender(text string) bool {
	if !senderWords.Match(text, text) {
		return false
	}
	for _, clause := range clauseEnd.Split(text, -1) {
		if senderWords.Match(clause, clause) && !readerWords.Match(clause, clause) && faultWords.Match(clause, clause) {
			return true
		}
	}
	return false
}

// aboutUs knows what a refusal without a telling code may be about besides the
// address: us, our machine, the line to it, or the mail itself.
var aboutUs = gate(`\b(you|your|newsletter|content|subject|filter\w*|junk|ube|uce|phish\w*|quarantined?|moderated?|subscribers?|members?|posting|tls|ssl|encrypt\w*|certificate|seal|arc|ip|geoip|dynamic|reverse|country|clients?|connection|connect|external|outside|inside|internal|url|link|links|score[ds]?|headers?|message-id|timestamp|attachment|archive|signature|verify\w*|verification|callout|callback|sender|unauthori\w+|trusted|welcome|unwanted|wanted|marketing|advert\w*|line length|mime|html|charset|aup)\b|\bmails? (is |was )?refused|refuses? mail|(mails?|messages?) from\b|listed\b|` +
	`end of data|data command|lista (negra|nera)|liste noire|zwarte lijst|czarn\p{L}+ li|ч[её]рн\p{L}+ спис|sperrliste|inhalt|contenu\b|contenido|contenuto|conteúdo|inhoud|treść|содержим|gesperrt|bloquead|bloccat|abgelehnt|refusé|rechazad|rifiutat|recusad|geweigerd|odrzucon|отклон[её]н|reddedildi|内容|內容|拒绝|拒絕|拒否|黑名单`)
