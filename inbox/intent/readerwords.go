package intent

import (
	"regexp"

	"galley/inbox/gated"
)

// readerPhrases are the readers' words by themselves, in the languages of the
// people who write: plain, lower case.
var readerPhrases = phraseTable(map[ReaderWord][]string{
	ReaderUnsubscribe: {"unsubscribe", "stop", "leave", "remove", "remove me", "unsubscribe me", "take me off", "opt out", "opt-out", "optout", "signoff", "sign off", "cancel subscription", "cancel my subscription", "stop all",
		"abmelden", "abbestellen", "austragen", "abmeldung", "newsletter abbestellen", "bitte abmelden", "stopp",
		"désabonner", "desabonner", "se désabonner", "me désabonner", "désabonnement", "désabonnez-moi", "désinscription", "désinscrire", "me désinscrire", "désinscrivez-moi",
		"darse de baja", "dar de baja", "darme de baja", "baja", "cancelar suscripción", "cancelar suscripcion", "desuscribir", "desuscribirme",
		"disiscriviti", "disiscrivimi", "cancellami", "cancella iscrizione", "annulla iscrizione", "disiscrizione",
		"cancelar inscrição", "cancelar assinatura", "descadastrar", "remover", "sair da lista",
		"afmelden", "uitschrijven", "opzeggen", "avregistrera", "avprenumerera", "avsluta prenumeration", "avmeld", "afmeld", "frameld", "avslutt abonnement",
		"peruuta tilaus", "peru tilaus", "poista listalta", "wypisz", "wypisz mnie", "rezygnuję", "wyrejestruj", "odhlásit", "odhlásit odběr", "odhlásiť", "leiratkozás", "leiratkozom",
		"dezabonare", "отписаться", "отписка", "отпишите", "отпишите меня", "отменить подписку", "відписатися", "відпишіть мене", "abonelikten çık", "aboneliği iptal et",
		"退订", "取消订阅", "退訂", "取消訂閱", "購読解除", "配信停止", "登録解除", "구독취소", "구독 취소", "수신거부", "수신 거부", "إلغاء الاشتراك", "הסר", "הסר אותי", "hủy đăng ký", "berhenti berlangganan"},
	ReaderSubscribe: {"subscribe", "subscribe me", "sign me up", "join", "abonnieren", "anmelden", "s'abonner", "abonnez-moi", "m'abonner", "inscription",
		"suscribir", "suscribirme", "suscribirse", "alta", "iscriviti", "iscrivimi", "iscrizione", "inscrever", "assinar", "aanmelden", "inschrijven", "prenumerera", "abonner", "tilaa", "zapisz", "zapisz mnie",
		"přihlásit", "подписаться", "подписка", "підписатися", "abone ol", "订阅", "訂閱", "購読", "登録", "구독", "اشتراك"},
	ReaderPause:    {"pause", "pause me", "pausieren", "mettre en pause", "pausar", "metti in pausa", "pauzeren"},
	ReaderResume:   {"resume", "continue", "fortsetzen", "reprendre", "reanudar", "riprendi", "retomar", "hervatten"},
	ReaderQuiet:    {"quiet", "no thanks", "no thank-yous", "no thank you mails"},
	ReaderForget:   {"forget me", "forget", "erase me", "delete my data", "delete me", "vergiss mich", "oubliez-moi", "olvídame", "dimenticami"},
	ReaderBack:     {"back", "zurück", "retour", "volver", "torna", "voltar", "terug"},
	ReaderTextOnly: {"text only", "plain text", "nur text", "texte seul", "solo texto", "solo testo"},
	ReaderWithHTML: {"with html", "html", "with pictures", "mit bildern", "avec images", "con imágenes", "con immagini"},
	ReaderMyData:   {"my data", "meine daten", "mes données", "mis datos", "i miei dati"},
})

// phraseTable turns the table round; it is a table written by its meaning.
func phraseTable(by map[ReaderWord][]string) map[string]ReaderWord {
	out := map[string]ReaderWord{}
	for w, list := range by {
		for _, p := range list {
			out[p] = w
		}
	}
	return out
}

var (
	yesWords = []string{"yes", "yep", "yeah", "ok", "okay", "confirm", "confirmed", "subscribe", "ja", "oui", "sí", "si", "sì", "sim", "да", "так", "tak", "ano", "evet", "kyllä", "igen", "da", "はい", "是", "好", "네", "نعم",
		"bestätigen", "bestätigt", "confirmer", "confirme", "confirmo", "confermo", "bevestig"}
	noWords = []string{"no", "nope", "stop", "unsubscribe", "never", "nein", "non", "nee", "nej", "nei", "ei", "não", "nao", "нет", "ні", "nie", "ne", "hayır", "nem", "nu", "いいえ", "不", "아니요", "لا"}
)

// wish is a clear wish to be taken off, in a sentence.
var wish = regexp.MustCompile(`(?i)\b(take|get|drop|strike|scratch) (me|my (address|e-?mail|name)) (off|out|from)\b|\bremove (me|my (address|e-?mail|name)|this (address|e-?mail))\b|\bunsubscribe (me|my|this)\b|\bplease unsubscribe\b|\b(want|wish|like|prefer) to (unsubscribe|leave (this|the|your) (list|newsletter)|be (removed|unsubscribed|taken off)|stop (receiving|getting)|opt out|cancel my subscription)\b|\bstop (sending|e-?mailing|mailing|writing to) me\b|\b(cancel|end|terminate) my (subscription|membership)\b|\bno longer (want|wish)\b|\bopt me out\b` +
	`|\b(nehmen|nimm|streichen?|löschen?|entfernen?|trag(en|t)?) .{0,40}(mich|adresse).{0,40}(liste|verteiler|newsletter|aus)\b|\bmich .{0,30}(abmelden|austragen|abbestellen)\b|\bmeld(en|e|et)? (sie )?mich (bitte )?ab\b|\b(newsletter|abo) (bitte )?(abbestellen|kündigen)\b` +
	`|désabonne[rz](-moi)?\b|désinscri(re|vez)(-moi)?\b|\bretire[rz]-moi\b|\bsupprime[rz]-moi\b|\b(me|mi) (désabonner|désinscrire|retirer)\b` +
	`|\b(darme|dame|denme|dadme|dar) de baja\b|\b(elim[ií]n(e|a|en)me|b[oó]rr(e|a|en)me|qu[ií]t(e|a|en)me)\b|\bcancelar mi suscripci[oó]n\b|\bdesuscrib\w+` +
	`|\b(cancellatemi|cancellami|cancellarmi|disiscrivetemi|disiscrivermi|rimuovetemi|toglietemi)\b|\b(me (remova|retire|tire|descadastre)m?|remov(a|er)[- ]me|cancelar minha (inscrição|assinatura))\b` +
	`|\b(schrijf|haal|verwijder) (mij|me)\b.{0,40}|\b(mij|me) (graag )?(uitschrijven|afmelden)\b|\b(ta bort|avregistrera) mig\b|\bavmeld meg\b|\bafmeld mig\b|wypisz(cie)? mnie|usuńcie mnie|отпишите меня|уберите меня|відпишіть мене|请(把我)?退订|購読を(解除|停止)|配信を(停止|止め)`)

// negation makes a wish none, and a consent the more private one.
var negation = regexp.MustCompile(`(?i)\b(not|never|cannot|neither|nor|without|don't|dont|won't|wouldn't|can't|cant|isn't|shouldn't|mustn't|nicht|nie|kein\w*|ne|pas|jamais|no|nunca|non|mai|não|nao|nunca|niet|geen|nooit|inte|ikke|aldrig|не|нет|ні)\b|n[’']t\b|(^|[^\p{L}])(n[’']|não|не|ні)([^\p{L}]|$)|不|ない|ません`)

// noLonger is no negation of a wish but a part of it.
var noLonger = regexp.MustCompile(`(?i)\bno (longer|more)\b`)

// The sentences about being named.
var (
	naming    = gated.New(`(?i)\b(my (full |real |first |last )?name|name me|mention(ing)? me|quot(e|ing) me|credit(ing)? me|credit (is|to)|publish(ing)? (this|my)|cit(e|ing) me|meinen? namen?|mich (nennen|erwähnen|zitieren)|mon nom|me (citer|nommer|mentionner)|mi nombre|(citarme|nombrarme|mencionarme)|il mio nome|citarmi|nominarmi|meu nome|me (citar|mencionar)|mijn naam|mij noemen)\b`)
	allowing  = regexp.MustCompile(`(?i)\b(you (may|can|could|are (free|welcome) to)|feel free|happy (to be|for you|if you)|please (do )?(use|credit|mention|name|quote)|go ahead|(it is|it's|that's|that is) (fine|ok|okay|alright) to|welcome to|use my name|credit me|sie (dürfen|können)|gerne?|(du )?(darfst|kannst)|vous pouvez|tu peux|puede[ns]?|puedes|può|puoi|potete|pode[ms]?|u mag|je mag)\b`)
	condition = regexp.MustCompile(`(?i)\b(if|unless|only|but|except|when|as long as|provided|after|ask me|before|wenn|nur|aber|si|seulement|solo|pero|se|ma|als|maar|alleen)\b`)
	secret    = gated.New(`(?i)\b(keep (this|it) (between us|private|to yourself|confidential)|off the record|between (you and me|us)|in confidence|confidential(ly)?|not for publication|(do not|don't|please don't) (publish|quote|share|print|mention|name)|vertraulich|unter uns|confidentiel|entre nous|confidencial|entre nosotros|confidenziale|tra noi|vertrouwelijk)\b`)
	anonymous = gated.New(`(?i)\b(anonymous(ly)?|anonym|anonymement|an[oó]nim[oa]|anonimo|anoniem|without (my|a) name|ohne (meinen )?namen|sans (mon )?nom|sin (mi )?nombre)\b`)
)
