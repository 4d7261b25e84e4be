package reply

import (
	"strings"

	"galley/inbox/gated"
)

// The words by which mail programs of many languages are known. They are
// tables: a language is added here and nowhere else.

// wroteWords are the verbs of attributions: one telling word of each.
var wroteWords = wordSet("wrote writes said sent " + // English
	"schrieb schreibt geschrieben " + // German
	"écrit ecrit écrivait " + // French
	"escribió escribio escribe escriure escrit " + // Spanish, Catalan
	"escreveu escreve escrito " + // Portuguese
	"scritto scrive scriveva " + // Italian
	"schreef geschreven schrijft " + // Dutch
	"skrev skriver skreiv " + // Swedish, Danish, Norwegian
	"kirjoitti kirjutas kirjutanud " + // Finnish, Estonian
	"napisał napisała napisał(a) pisze napisano " + // Polish
	"napsal napsala napsal(a) napísal napísala napísal(a) píše " + // Czech, Slovak
	"írta ezt " + // Hungarian
	"написал написала написал(а) пишет писал написав написали пише написа " + // Russian, Ukrainian, Bulgarian
	"scris scrie " + // Romanian
	"yazdı yazmış " + // Turkish
	"napisao napisala napisao/la piše napisal " + // Croatian, Serbian, Slovene
	"έγραψε έγραψαν " + // Greek
	"rašė parašė rakstīja " + // Lithuanian, Latvian
	"viết menulis " + // Vietnamese, Indonesian
	"skrifaði idatzi geskryf scríobh scríobhann ysgrifennodd isinulat shkroi жазды գրել დაწერა написао लिखा লিখেছেন எழுதியது " + // Icelandic, Basque, Afrikaans, Irish, Welsh, Tagalog, Albanian, Kazakh, Armenian, Georgian, Serbian, Hindi, Bengali, Tamil
	"כתב כתבה כתב/ה كتب كتبت كتابة نوشت เขียนว่า เขียน") // Hebrew, Arabic, Persian, Thai

// wroteSigns are those of scripts without breaks between words.
var wroteSigns = []string{"写道", "寫道", "写到", "のメール", "書きました", "のメッセージ", "작성", "님이 쓴", "썼습니다", "เขียน"}

func wordSet(s string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(s) {
		set[w] = true
	}
	return set
}

// hasVerb tells whether a verb of writing occurs.
func hasVerb(s string) bool {
	for _, w := range strings.Fields(s) {
		if wroteWords[verbForm(w)] {
			return true
		}
		if i := strings.LastIndexByte(w, '>'); i >= 0 && wroteWords[verbForm(w[i+1:])] {
			return true // "<a@example.org>wrote:"
		}
	}
	return containsAny(s, wroteSigns)
}

func verbForm(w string) string {
	return strings.ToLower(strings.Trim(w, ":：,;.-–—*_\"'\u200e\u200f\u202a\u202c"))
}

// verbLast tells whether a line ends in a verb of writing, without a colon.
func verbLast(s string) bool {
	s = strings.TrimRight(s, "-–— ")
	return wroteWords[verbForm(s[strings.LastIndexByte(s, ' ')+1:])]
}

// onWords begin an attribution that begins with its date: prepositions, and
// days of the week with their short forms.
var onWords = wordSet("on am le el il em op den d dne dňa dnia på kl в у на în la tarihinde a στις ngày pada no vào ב في בתאריך " +
	"mon tue wed thu fri sat sun monday tuesday wednesday thursday friday saturday sunday mo di mi do fr sa so montag dienstag mittwoch donnerstag freitag samstag sonntag " +
	"пн вт ср чт пт сб вс нд lun mar mer jeu ven sam dim jue vie sáb dom seg ter qua qui sex man tir ons tor fre lør søn mån tis lör sön " +
	"ma ti ke to pe su pon wt śr czw sob po út st čt pá ne quoting citando")

// oneselfWords are the first person, where it stands before its verb.
var oneselfWords = wordSet("i i've we ich wir je j'ai nous yo nosotros io noi eu nós ik wij we jag vi jeg minä me ja my já mi én я мы ми ben biz εγώ εμείς saya kami tôi")

// likenessWords begin a sentence about what somebody wrote, which is no
// attribution: "As Ada wrote on Monday:".
var likenessWords = wordSet("as like wie comme como zoals som kuten jak ako как як както като ca gibi what was ce lo wat vad hvad hva что що")

// startsAttribution tells whether a text begins as attributions do.
func startsAttribution(s string) bool {
	s = strings.TrimLeft(s, "\"'“*_([")
	if s == "" {
		return false
	}
	if s[0] >= '0' && s[0] <= '9' {
		return true
	}
	for _, sign := range []string{"在", "于", "於", "週", "周", "星期", "In data ", "W dniu "} {
		if strings.HasPrefix(s, sign) {
			return true
		}
	}
	word, _, _ := strings.Cut(s[:min(len(s), 40)], " ")
	return onWords[strings.ToLower(strings.Trim(word, ".,:;"))]
}

// forwardWords stand in the line above a forwarded mail.
var forwardWords = []string{
	"forwarded", "forwarding", "weitergeleitet", "weiterleitung", "transféré", "transmis", "réexpédié", "reenviado", "reenviada", "reencaminhad", "encaminhad",
	"inoltrat", "doorgestuurd", "doorgezonden", "vidarebefordra", "videresend", "videresent", "välitetty", "välitetyn", "edelleen", "przekazan", "przekazywan", "przesłan", "přeposlan",
	"předáv", "preposlan", "preposielan", "továbbít", "пересыла", "переслан", "пересилан", "перенаправ", "переадрес", "препратен", "redirecțion", "redirectionat", "retrimis", "iletilen", "iletildi", "yönlendirilen", "proslijeđ", "prosleđ", "posredovan", "προωθημέν",
	"persiųst", "pārsūtīt", "edastatud", "转发", "轉寄", "轉發", "转寄", "転送", "전달", "chuyển tiếp", "diteruskan", "ส่งต่อ", "שהועבר", "הועבר", "المعاد توجيهها", "معاد توجيه", "reenviat",
}

// originalWords stand between dashes above an answered mail.
var originalWords = []string{
	"original message", "original mail", "original email", "reply message", "replied message", "original appointment", "ursprüngliche nachricht", "originalnachricht", "original-nachricht", "message d'origine", "message d’origine", "message original", "messaggio originale", "messaggio d'origine",
	"mensaje original", "mensagem original", "oorspronkelijk bericht", "origineel bericht", "ursprungligt meddelande", "originalmeddelande", "ursprungligt mail", "oprindelig meddelelse", "oprindelig besked", "oprindelig mail", "original besked", "opprinnelig melding", "alkuperäinen viesti", "oryginalna wiadomość", "wiadomość oryginalna", "původní zpráva", "pôvodná správa",
	"eredeti üzenet", "исходное сообщение", "оригинальное сообщение", "исходное письмо", "оригинал", "оригінальне повідомлення", "вихідне повідомлення", "mesaj original", "mesajul original", "orijinal ileti", "özgün ileti", "orijinal mesaj", "originalna poruka", "izvorna poruka", "izvirno sporočilo", "αρχικό μήνυμα", "原始邮件", "原始郵件", "原邮件", "原始訊息", "回复邮件", "元のメッセージ", "original messsage", "원본 메시지", "원본 메일", "thư gốc", "pesan asli", "ข้อความต้นฉบับ", "הודעה מקורית", "الرسالة الأصلية", "antwort nachricht", "missatge original", "originali žinutė", "sākotnējais ziņojums", "algne sõnum",
}

// aboveWords stand in the line that help desks put above their mail.
var aboveWords = []string{
	"reply above", "reply above this line", "write above this line", "type your reply above", "respond above", "add your reply above", "please reply above", "antworten sie oberhalb", "oberhalb dieser linie", "oberhalb dieser zeile", "répondre au-dessus", "répondez au-dessus", "responda por encima", "responder por encima", "responda acima", "rispondi sopra", "boven deze lijn", "svara ovanför", "svar over denne",
}

// closingWords are how letters end, before a name.
var closingWords = wordLines("regards|best regards|kind regards|warm regards|best|all the best|best wishes|cheers|sincerely|yours sincerely|sincerely yours|yours truly|yours faithfully|yours|with kind regards|many thanks and best regards|" +
	"mit freundlichen grüßen|mit freundlichen grüssen|mit freundlichem gruß|freundliche grüße|viele grüße|liebe grüße|beste grüße|herzliche grüße|schöne grüße|mfg|vg|lg|gruß|grüße|" +
	"cordialement|bien cordialement|bien à vous|amicalement|sincères salutations|salutations|cdt|saludos|un saludo|saludos cordiales|atentamente|un abrazo|atenciosamente|cumprimentos|com os melhores cumprimentos|abraços|abraço|att|" +
	"cordiali saluti|distinti saluti|saluti|un saluto|met vriendelijke groet|met vriendelijke groeten|vriendelijke groet|vriendelijke groeten|groet|groeten|groetjes|mvg|" +
	"med vänliga hälsningar|vänliga hälsningar|med vänlig hälsning|vänligen|hälsningar|mvh|med venlig hilsen|venlig hilsen|de bedste hilsner|bedste hilsner|hilsen|med vennlig hilsen|vennlig hilsen|beste hilsen|ystävällisin terveisin|terveisin|" +
	"pozdrawiam|pozdrawiam serdecznie|z poważaniem|serdecznie pozdrawiam|s pozdravem|s přátelským pozdravem|pozdravy|s pozdravom|üdvözlettel|tisztelettel|с уважением|с наилучшими пожеланиями|з повагою|с уважение|cu stimă|cu respect|saygılarımla|iyi çalışmalar|srdačan pozdrav|lijep pozdrav|lep pozdrav|pozdrav|με εκτίμηση|φιλικά|atb|敬具|よろしくお願いします|此致|敬上|祝好|trân trọng|salam|בברכה|مع التحية")

func wordLines(s string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Split(s, "|") {
		set[w] = true
	}
	return set
}

// sentFromLine is what telephones and programs put below a mail.
var sentFromLine = gated.New(`(?i)^(sent (from|via|with|using|by) \S|get \S+( \S+)? for (android|ios)\.?$|dërguar nga |get outlook for |(télécharge[rz]|obtenir|obtenez) outlook pour |outlook für .* (beziehen|herunterladen)|holen sie sich outlook|obtener outlook para|obter o outlook para|scarica outlook|download outlook|hämta outlook|hent outlook|pobierz .*outlook|(\pL{2,14} )?outlook (for|für|pour|para|per|voor|för|til|dla|pro|для|na) (ios|android|mac)|` +
	`envoyé (de|depuis|à partir|avec|via) \S|enviado (desde|do|de|a partir|por|con|com) \S|inviato (da|dal|con|tramite) \S|verzonden (vanaf|vanuit|met|via|door) \S|verstuurd (vanaf|met|via) \S|skickat (från|via) \S|skickades från \S|sendt (fra|med|via) \S|lähetetty \S|` +
	`(von|aus|mit|diese nachricht wurde) .{2,80} (gesendet|verschickt)\.?$|gesendet (von|mit|über|aus) \S|wysłan[eyoa] (z|ze|za) \S|odesláno z \S|odoslané z \S|poslano (s|z|iz|sa) \S|отправлено (с|из|через|от) \S|надіслано (з|із|через) \S|изпратено от \S|elküldve \S|küldve \S|trimis (de|din|cu|prin) \S|enviat (des|amb) \S|` +
	`στάλθηκε από \S|saadetud \S|išsiųsta iš \S|nosūtīts no \S|dikirim dari \S|được gửi từ \S|gửi từ \S|ส่งจาก|נשלח מ|أرسلت من|أُرسلت من|أرسل من|مرسل من|مُرسل من|发自|發自|從我的.*傳送|从我的.*发送|来自我的|iphoneから送信|.{1,20}から送信|나의 .*보냄|.{1,20}에서 보냄|.{1,40} (cihazımdan|telefonumdan) gönderildi|.{1,40}'?(dan|den|ten|tan) gönderildi)`)

// legalTitle is the title of a notice of confidentiality.
var legalTitle = gated.New(`(?i)^\W{0,6}(confidentiality (notice|note|statement)|disclaimer\b.{0,300}(confidential|privileged|intended|recipient|liab|e-?mail|this message)|legal (notice|disclaimer)|privileged and confidential)`)

// legalStart is how such notices begin without a title.
var legalStart = gated.New(`(?i)^\W{0,6}(this (e-?mail|message|communication|transmission)( \S+){0,12}? (is|are|may be|may contain|contains|and any|including)\b.{0,200}(confidential|privileged|intended)|` +
	`the (information|content)s?( contained)? (in|of|transmitted).{0,150}(confidential|privileged|intended)|diese (e-?mail|nachricht).{0,200}vertraulich|der inhalt dieser e-?mail.{0,150}vertraulich|ce (message|courriel|mail|courrier).{0,200}confidentiel|este (mensaje|correo|e-?mail|mensagem).{0,200}confidencial|esta mensagem.{0,200}confidencia|` +
	`(questo messaggio|questa e-?mail|le informazioni).{0,200}(riservat|confidenzial)|(dit|deze) (bericht|e-?mail).{0,200}vertrouwelijk|de informatie.{0,150}vertrouwelijk|(detta|denna) (meddelande|e-?post|e-?mail|mail).{0,200}(konfidentiell|sekretess)|(denne|dette) (e-?mail|e-?post|melding|meddelelse|besked).{0,200}(fortrolig|konfidensiell)|tämä (viesti|sähköposti).{0,200}luottamuksel|` +
	`(ta|niniejsza|treść tej|treść niniejszej) (wiadomoś|korespondencj).{0,200}pouf|(tento e-?mail|tato zpráva|táto správa).{0,200}(důvěrn|dôvern)|(данное|настоящее|это) (сообщение|письмо|электронное).{0,200}конфиденциальн|bu (e-?posta|mesaj|ileti).{0,200}gizli|(ez az|jelen) (e-?mail|üzenet|elektronikus).{0,200}bizalmas|acest (mesaj|e-?mail).{0,200}confiden|` +
	`(το παρόν|αυτό το) .{0,40}(μήνυμα|e-?mail).{0,200}εμπιστευτικ|(この|本)(電子)?メール.{0,80}(機密|秘密)|本(邮件|郵件|电子邮件|電子郵件).{0,60}(保密|机密|機密)|이 (메일|이메일|전자우편).{0,80}(기밀|비밀))`)

// gatewayWarning is how the warnings of mail gateways begin, which stand above
// what the person wrote or below it.
var gatewayWarning = gated.New(`(?i)^\W{0,6}(caution:? .{0,40}(external|outside|originated)|external (email|sender|message)\b|\[external\]|think before you print|please consider the environment)`)

// roleOf names the fields of header blocks, in lower case.
var roleOf = roles(map[string]string{
	"from": "from von de da od fra från van lähettäjä feladó kimden gönderen від от отправитель відправник odesílatel odosielateľ nadawca expéditeur expeditor remitente remetente mittente absender afzender avsender avsändare afsender šalje pošiljatelj pošiljalac " +
		"发件人 寄件者 寄件人 發件人 差出人 送信元 送信者 보낸사람 발신 מאת من από จาก từ dari ferfi|de_la saatja nuo no frá ó nork daripada göndərən од испраќач از|보낸_사람 відправлено_від",
	"date": "date sent gesendet datum data fecha enviado envoyé dato dátum dată trimis tarih gönderme_tarihi gönderilme_tarihi gönderildi дата отправлено відправлено надіслано wysłano odesláno odoslané odoslaná sendt skickat lähetetty päivämäärä päiväys verzonden inviato küldve elküldve enviada enviada_em enviado_em enviado_el " +
		"sent_at 发送时间 日期 傳送時間 寄件日期 發送時間 发送日期 送信日時 送信日 日時 日付 날짜 보낸_날짜 보낸날짜 תאריך נשלח التاريخ تاريخ ημερομηνία στάλθηκε ngày gửi tanggal dikirim poslano poslato vrijeme vreme kuupäev saadetud išsiųsta nosūtīts saatmisaeg saatmise_aeg изпратено послато испратено bidaltze-data data seolta enviat_el enviat terkirim dihantar đã_gửi ส่ง تم_الإرسال أرسلت_في ارسال_شده วันที่ date/heure",
	"to":      "to an à a para til till aan do komu кому címzett kime alıcı vastaanottaja către destinataire destinatario destinatário empfänger odbiorca prima za primatelj 收件人 收件者 宛先 送信先 받는_사람 받는사람 수신 אל الى إلى προς đến tới kepada ถึง kam saaja kellele примач до получатель одержувач adressaat chuig nori per_a за به",
	"cc":      "cc kopie kopi kopia kópia copie copia cópia kopio kópie копия копія másolat másolatot_kap másolatot_kapja bilgi 抄送 副本 參照 참조 bcc kopie_(cc) đồng_gửi สำเนา עותק نسخة κοιν. κοινοποίηση",
	"subject": "subject betreff objet asunto assunto oggetto onderwerp emne ämne aihe temat předmět predmet тема tárgy konu subiect naslov zadeva 主题 主旨 主題 件名 标题 제목 נושא الموضوع θέμα chủ_đề tiêu_đề subjek perihal teema tema temats หัวข้อ เรื่อง title assumpte teema tēma efni ábhar gaia относно наслов предмет موضوع mövzu",
	"reply":   "reply-to reply_to antwort_an répondre_à responder_a responder_para rispondi_a beantwoorden svar_til svara_till odpowiedz_do organization importance priority attachments anlagen anhang pièces_jointes priorité wichtigkeit mailed-by message-id 返信先 回复 importance sensitivity",
})

// roles turns the table round; "_" stands for a space inside a key.
func roles(table map[string]string) map[string]string {
	out := map[string]string{}
	for role, keys := range table {
		for _, k := range strings.FieldsFunc(keys, func(r rune) bool { return r == ' ' || r == '|' }) {
			k = strings.ReplaceAll(k, "_", " ")
			if _, taken := out[k]; !taken || role == "from" {
				out[k] = role
			}
		}
	}
	return out
}
