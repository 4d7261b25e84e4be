package markdown

import (
	"regexp"
	"strings"
)

// programLine is the advertisement that a phone or a mail program writes under
// what people write. Each form names a program or a device, so that a sentence
// that merely begins with "Sent from" stays.
var programLine = regexp.MustCompile(`(?i)^\W{0,3}(` +
	`sent (from|via|with|using) (my |outlook|gmail|yahoo|proton|mail for|mailbird|superhuman|spark|fairemail|k-9|canary|samsung|blackberry|aol|hey|tuta)|get (outlook|bluemail|spark|typeapp) for ` +
	`|von meinem .{2,40} gesendet|gesendet (von|mit|über) (meinem?|outlook|gmx|web\.de|der |mail|proton)|diese nachricht wurde von meinem ` +
	`|envoyé (de|depuis|à partir de|avec) (mon|ma|outlook|yahoo|l.application|proton|la messagerie)|télécharger outlook|obtenir outlook` +
	`|enviado (desde|do|de|a partir do|por) (mi|meu|minha|outlook|yahoo|proton|correo|email)|obtener outlook|obter o outlook` +
	`|inviato (da|dal|con) (mio |i?phone|outlook|yahoo|libero|proton|samsung)|scarica outlook|(verstuurd|verzonden) (vanaf|met|van|via) (mijn|outlook|proton|mail)` +
	`|(skickat|skickades) från (min|outlook|mail)|sendt fra (min|outlook|mail)|lähetetty (i?phone|outlook|minun|laitteesta)|wys(łane|łano) z (iphone|mojego|outlook|telefonu|aplikacji)` +
	`|отправлено (с|из) (iphone|моего|outlook|mail|мобильной|яндекс)|надіслано з |iphoneから送信|从我的 ?iphone|发自我的|發自我的|나의 iphone)[^\n]{0,60}$`)

// programFoot leaves out the line of a mail program at the end, which readers
// would see under the issue.
func (w *work) programFoot() {
	last := len(w.ls) - 1
	if last < 1 || width(w.ls[last].s) > 90 || !w.ls[last-1].blank() || !programLine.MatchString(strings.TrimSpace(w.ls[last].s)) {
		return
	}
	w.repaired(w.ls[last].n, "program", strings.TrimSpace(w.ls[last].s))
	w.ls = trimBlank(w.ls[:last])
}
