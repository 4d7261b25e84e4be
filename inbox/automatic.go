package inbox

import (
	"regexp"
	"slices"
	"strings"

	"galley/inbox/mime"
)

// outOfOffice is how the Subjects of automatic answers begin in many languages:
// a word for automatic with one for answer, or for being away; they count only
// on an answer to a mail of ours. Behind a "Re:" words for being away may be
// those of our own Subject, which a person answers.
var outOfOffice = regexp.MustCompile(`(?i)^\s*(((re|aw|sv|vs|antw|rif|odp|ynt|回复|回覆) ?[:：] ?)?(` +
	`auto(matic)?[- ]?(reply|response|antwort|svar|reactie)|autoreply|automa\p{L}{1,12} (antwort|antwoord|svar|vastaus|odpowiedź|odpověď|odpoveď|odgovor|válasz|răspuns)|` +
	`auto ?:|\[auto-?reply\]|autosvar|autoodpowiedź|automaatvastus|odpowiedź automatyczna|samodejni odgovor|automatinis atsakymas|automātisk[aā] atbilde|(thư )?trả lời tự động|پاسخ خودکار|स्वचालित उत्तर|การตอบกลับอัตโนมัติ|réponse automatique|respuesta (automática|de ausencia)|respost[ae] autom[àá]tica|risposta automatica|răspuns automat|otomatik (yanıt|cevap)|balasan otomatis|trả lời tự động|` +
	`автоответ|автоматич[а-яіїє]* (ответ|відповідь|отговор)|αυτόματη απάντηση|(מענה|תשובה) אוטומטי|رد تلقائي|الرد (التلقائي|الآلي)|自動(応答|返信|回覆)|自动(回复|答复|回覆)|자동 ?(회신|응답)|ตอบกลับอัตโนมัติ)|` +
	`(i am |i'm )?out of (the |my )?office|ooo\b|on (vacation|leave|holiday)\b|abwesen(d|heit)|afwezig|absente?\b|(message d.)?absence (du|de) |message d.absence|en congés?\b|fuera de (la )?oficina|fuori (sede|ufficio)|fora do escritório|frånvar|fravær|poissa toimistosta|poza biurem|nieobecn|mimo kancelář|nepřítomn|вне офиса|нет на месте|ofis dışında|不在(通知|の|届)|不在办公室|부재 ?중|外出中)`)

// afterAway is what may follow: up to three words and a colon, behind which our
// own Subject stands, or nothing. Who writes on, or asks, is a person.
var afterAway = regexp.MustCompile(`(?i)^(\p{L}*( \p{L}+){0,3} ?[:：]|\p{L}*\s*($|[(\[–—-]|re\b))`)

// awayTitle tells whether a Subject is that of an automatic answer.
func awayTitle(subject string) bool {
	at := outOfOffice.FindStringIndex(subject)
	if at == nil || strings.ContainsAny(subject, "?？") {
		return false
	}
	return strings.HasSuffix(strings.TrimSpace(subject[:at[1]]), ":") || afterAway.MatchString(subject[at[1]:])
}

// answerFields are set by programs that answer by themselves; "no" in one of
// them says that a person wrote.
var answerFields = []string{"X-Autoreply", "X-Autorespond", "X-Auto-Reply", "X-Mail-Autoreply", "X-Mail-Autorespond", "X-Autoresponder", "X-FC-MachineGenerated"}

// Automatic says why a message was written by a machine, "" when nothing
// shows it (RFC 3834; trust.md 2.1 row 7). Fields that providers add to mail
// of persons, such as Feedback-ID, prove nothing.
func Automatic(m *mime.Message) string {
	h := m.Header
	if v := firstWord(h.Get("Auto-Submitted")); v != "" && v != "no" {
		return "Auto-Submitted: " + v
	}
	for _, name := range answerFields {
		if v := firstWord(h.Get(name)); v != "" && v != "no" {
			return name + " is set"
		}
	}
	for _, name := range []string{"Precedence", "X-Precedence"} {
		if v := firstWord(h.Get(name)); slices.Contains([]string{"auto_reply", "bulk", "junk", "list"}, v) {
			return name + ": " + v
		}
	}
	if h.Has("X-Auto-Response-Suppress") && m.InReplyTo != "" && firstWord(h.Get("X-Auto-Response-Suppress")) != "none" {
		return "X-Auto-Response-Suppress on an answer"
	}
	for _, p := range h.Raw("Return-Path") {
		if strings.TrimSpace(p) == "<>" {
			return "the null return path"
		}
	}
	for _, v := range h.Raw("Delivered-To") {
		if firstWord(v) == "autoresponder" {
			return "Delivered-To: Autoresponder"
		}
	}
	if m.InReplyTo != "" && awayTitle(m.Subject) {
		return "the Subject of an out-of-office answer"
	}
	return ""
}

// firstWord is what a field says, without its parameters and comments (RFC
// 3834 section 5).
func firstWord(s string) string {
	if i := strings.IndexAny(s, ";("); i >= 0 {
		s = s[:i]
	}
	return strings.ToLower(strings.TrimSpace(s))
}
