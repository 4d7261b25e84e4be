package reply

import (
	"strings"
	"testing"
)

// TestFeetOfTelephones: what programs put below a mail is not the person's, in
// any language; what the person wrote above it stays.
func TestFeetOfTelephones(t *testing.T) {
	for _, foot := range []string{
		"Sent from my iPhone", "Von meinem iPhone gesendet", "Envoyé de mon iPhone", "Enviado desde mi iPhone", "Inviato da iPhone", "Verstuurd vanaf mijn iPhone",
		"Skickat från min iPhone", "Lähetetty iPhonesta", "Wysłane z iPhone'a", "Odesláno z iPhonu", "Отправлено с iPhone", "iPhoneから送信", "从我的 iPhone 发送",
		"나의 iPhone에서 보냄", "iPhone'umdan gönderildi", "Στάλθηκε από το iPhone μου", "נשלח מה-iPhone שלי", "Get BlueMail for Android", "Outlook für Android beziehen",
		"Sent with Proton Mail secure email.", "Diese Nachricht wurde von meinem Android-Gerät mit K-9 Mail gesendet.", "发自我的小米手机", "Sent from my iPad; sorry for typos.",
		"Dërguar nga iPhone im", "Gửi từ iPhone của tôi", "Elküldve az iPhone-omról", "Отправлено из мобильной Яндекс Почты",
	} {
		ownIs(t, foot, answer+"\n\n"+foot+"\n\n"+marked, answer)
	}
}

// TestFeetOfLawyers: notices of confidentiality in any language, below what
// the person wrote.
func TestFeetOfLawyers(t *testing.T) {
	for _, foot := range []string{
		"CONFIDENTIALITY NOTICE: for the addressee only.",
		"This e-mail and any files transmitted with it are confidential and intended solely for the addressee.",
		"Diese E-Mail kann Informationen enthalten, die vertraulich sind. Falls Sie nicht gemeint sind, löschen Sie sie bitte.",
		"Ce courriel et ses pièces jointes sont confidentiels et destinés à la seule personne à qui ils sont adressés.",
		"De informatie in dit bericht is vertrouwelijk en alleen bestemd voor wie het is gericht.",
		"Detta meddelande kan innehålla konfidentiell information som bara är avsedd för mottagaren.",
		"Denne e-mail kan indeholde fortrolige oplysninger, som kun er til den, den er sendt til.",
		"Niniejsza wiadomość może zawierać informacje poufne, przeznaczone tylko dla adresata.",
		"Данное сообщение содержит конфиденциальную информацию и предназначено только для адресата.",
		"このメールには、受取人の方だけに宛てた機密の情報が含まれている場合があります。",
		"本邮件可能含有保密的内容,只供收件人阅读。如果您不是收件人,请删除。",
	} {
		if got := Split(answer + "\n\n" + foot + "\n\n" + marked).Own; strings.Contains(got, foot) || !strings.Contains(got, "https://scales.example/old") {
			t.Errorf("%s: %q", foot, got)
		}
	}
}
