package bounce

import (
	"strings"

	"galley/inbox/gated"
)

// What servers say in other languages than English. A row pairs what the words
// are about with what is said of it, in the order in which a language puts
// them, so that one row knows the sentences of many servers.

// gate compiles a pattern of words of which mostly none occurs.
func gate(pattern string) *gated.Pattern { return gated.New(pattern) }

// rows makes one pattern of many, one to a line.
func rows(lines string) *gated.Pattern {
	var all []string
	for line := range strings.Lines(lines) {
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, line)
		}
	}
	return gate(strings.Join(all, "|"))
}

// refusedAbroad says that we are refused, not the reader.
var refusedAbroad = rows(`
	\bspam.{0,30}(abgelehnt|blockiert|erkannt|refus|rechaz|respint|recus|rejeit|geweigerd|odrzuc)|richtlinie|berechtig(t|ung)|blockiert|gesperrte? (ip|absender)|absender.{0,30}(abgelehnt|gesperrt|nicht erlaubt)
	politique|refusée? par|indésirable|autorisation|non autoris|política|no deseado|bloqueado por|no (está |tiene )?(autoriza|permiso)|politica|indesiderat|non (è )?autorizzat|permess[oi]\b|permissão|não autoriza|geblokkeerd|beleid|niet toegestaan
	спам|политик|заблокирован.{0,20}(отправ|ip|адрес отправ)|отправител.{0,30}(отклон|заблок|запрещ)|нет прав|polityk|odrzucon[ay] (przez|jako)|engellen|izin(iniz)? yok
	垃圾邮件|垃圾郵件|拒收|被拒|权限|權限|黑名单|黑名單|频率|受信拒否|拒否(され|しま)|迷惑メール|権限|スパム|스팸|차단|권한|수신 ?거부`)

// fullAbroad says that a mailbox takes nothing now.
var fullAbroad = rows(`
	(postfach|mailbox|speicher(platz)?).{0,40}(voll|erschöpft|überschritten|überfüllt)|(boîte|boite|messagerie).{0,40}(pleine|saturée|dépass)|quota.{0,20}(dépass|excedid|superat|überschr|ultrapass)|(buzón|casilla).{0,40}(llen[oa]|excedid)|casella.{0,40}(piena|superat|esaurit)
	caixa.{0,40}(cheia|lotada|excedid)|(postbus|postvak|mailbox).{0,20}\bvol\b|skrzynka.{0,40}(pełna|przepełnion)|(brevlåda|inkorg|postkass|postboks|innboks|indbakke).{0,30}(full|fuld|fylt|överfull)|(postilaatik|saapuneet).{0,30}täynnä|schránka.{0,30}(plná|přeplněn)|posta(láda|fiók).{0,30}(megtelt|tele|betelt)
	ящик.{0,40}(переполнен|заполнен)|(превышен|исчерпан).{0,30}(квот|лимит|размер ящика)|скриньк.{0,30}переповнен|posta kutusu.{0,30}(dolu|doldu|dolmuş)|γραμματοκιβ.{0,30}(πλήρ|γεμάτ)
	メールボックス.{0,20}(いっぱい|満杯|一杯|あふれ)|容量.{0,8}(オーバー|超過|不足)|(邮箱|信箱|郵箱|空间|空間|容量).{0,10}(已满|已滿|不足|满了|滿了)|超过.{0,6}(限额|配额)|(편지함|메일함|사서함|메일박스|용량).{0,20}(가득|초과|꽉|부족)|תיבת.{0,30}מלאה|(علبة|صندوق).{0,30}ممتلئ`)

// placelessAbroad says that a domain is not there.
var placelessAbroad = rows(`
	(domäne|domain).{0,40}(nicht (gefunden|auflös)|existiert nicht|unbekannt)|domaine.{0,40}(introuvable|inexistant|n'existe pas|inconnu|n'a pas été trouvé)|domini[oi].{0,40}(no (existe|encontrad|se (encuentra|encontró))|inesistente|non (esiste|trovat|è stato trovat)|desconocid|sconosciut)
	domínio.{0,40}(inexistente|não (existe|encontrad|foi encontrad)|desconhecid)|domein.{0,40}(bestaat niet|niet gevonden|onbekend)|domen[aya]?.{0,30}(nie (istnieje|znalezion)|neexistuje|finns inte|findes ikke)|домен.{0,40}не (найден|существует|знайдено|існує)|(alan adı|etki alanı).{0,30}(bulunamadı|yok)
	(域名|网域|網域).{0,12}(不存在|无法解析|無法解析|找不到)|ドメイン.{0,12}(見つかり|存在し|不明)|도메인.{0,12}(찾을 수 없|존재하지)`)

// goneAbroad says that nobody has the address.
var goneAbroad = rows(`
	(benutzer|empfänger|postfach|adresse|konto|teilnehmer).{0,60}(unbekannt|existiert nicht|nicht (mehr )?(gefunden|bekannt|vorhanden|verfügbar|gültig)|ungültig|deaktiviert|gesperrt|gelöscht|geschlossen)|unbekannter (benutzer|empfänger)|kein (solcher benutzer|postfach)|(benutzer|empfänger|teilnehmer).{0,40}nicht (im|in) .{0,40}(verzeichnis|aufgeführt|gelistet)
	no se (ha(n)? )?(encontr\p{L}+) (la|el|al|esta|este|ningún) .{0,20}(dirección|destinatario|usuario|cuenta|buzón)|non (è stato |è stata )?trovat[oa] (l'|il |la |lo )?(indirizzo|destinatario|utente|casella)|não (foi |foram )?(encontr\p{L}+|localiz\p{L}+) (o|a) (endereço|destinatário|usuário|conta|caixa)|(introuvable|inconnue?) ?: .{0,20}(adresse|destinataire|utilisateur|compte)
	(utilisateur|destinataire|adresse|compte|boîte|boite).{0,60}(inconnue?|introuvable|inexistante?|n'existe (pas|plus)|n'a pas été trouvé|invalide|désactivé|fermée?|supprimé)|(usuario|destinatario|dirección|cuenta|buzón|casilla).{0,60}(desconocid|no (existe|encontrad|válid|disponible)|no se (encuentra|encontró|ha encontrado)|no (fue|ha sido) encontrad|inexistente|inválid|desactivad)
	(utente|destinatario|indirizzo|casella|account).{0,60}(sconosciut|inesistente|non (esiste|trovat|valid|disponibile)|non è (stato trovato|valido|attivo)|disattivat|disabilitat)|(usuário|utilizador|destinatário|endereço|caixa|conta).{0,60}(desconhecid|inexistente|não (existe|encontrad|foi encontrad|é válid|localizad)|inválid|desativad)
	(gebruiker|ontvanger|adres|postbus|postvak|account).{0,60}(onbekend|bestaat niet|niet (worden )?gevonden|ongeldig|opgeheven)|nie (znaleziono|odnaleziono).{0,30}(użytkownik|adres|odbiorc|skrzynk)|(nie ma takiego|nieznany|nieprawidłowy) (użytkownik|adres|odbiorc)\p{L}*|(użytkownik|adres|odbiorca|konto|skrzynka).{0,60}(nieznan|nie istnieje|nie (został )?znalezion|nieprawidłow|nieaktywn)
	(mottagare|mottaker|modtager|användare|bruker|bruger|adress|konto)\p{L}*.{0,50}(okänd|ukendt|ukjent|(kunde inte |kan inte )?hitta[dt]?e?s? inte|(kunde|kan) inte hittas|finns inte|findes ikke|finnes ikke|(ikke|blev ikke|ble ikke) (fundet|funnet)|ogiltig|ugyldig)|(okänd|ukendt|ukjent) (mottagare|mottaker|modtager|användare|bruker|bruger|adress)|(vastaanottaja|käyttäjä|osoite)\p{L}*.{0,50}(tuntematon|ei (löydy|ole olemassa|löytynyt))|tuntematon (vastaanottaja|käyttäjä|osoite)
	(uživatel|příjemce|adresát|adresa|schránka|používateľ|príjemca).{0,50}(neexist|neznám|nenalezen|nebyl nalezen|neplatn)|neznám[ýá] (uživatel|příjemce|adresát|adresa|používateľ)|(címzett|felhasználó|postafiók|cím).{0,50}(ismeretlen|nem (létezik|található))|ismeretlen (címzett|felhasználó)|(utilizator|destinatar|adres)\p{L}*.{0,50}(necunoscut|inexistent|nu (există|a fost găsit))
	(пользовател|получател|адресат|адрес|ящик|аккаунт|учетн).{0,60}(не (найден|существует|зарегистрирован|обнаружен)|неизвест|отсутствует|недействител|удал[её]н|заблокирован|отключ[её]н)|(неизвестн|нет так|несуществующ|неверн)\p{L}* (пользовател|получател|адресат|адрес|ящик)|(користувач|одержувач|адрес|скриньк).{0,50}(не (існує|знайдено)|невідом)
	(kullanıcı|alıcı|adres|hesap|posta kutusu)\p{L}*.{0,50}(bulunamadı|bulunamıyor|bilinmiyor|yok|geçersiz|mevcut değil)|άγνωστ\p{L}* (παραλήπτ|χρήστ|διεύθυνσ)|(παραλήπτη|χρήστη|διεύθυνση|λογαριασμ)\p{L}*.{0,50}(δεν (υπάρχει|βρέθηκε)|άγνωστ)
	宛先.{0,12}(不明|見つかり|存在し|誤)|(ユーザ|アドレス|アカウント|メールボックス|受信者).{0,20}(見つかり|存在しま|存在しない|不明|無効)|(用户|用戶|收件人|使用者|邮箱|郵箱|信箱|地址|账号|帳號|账户|帳戶).{0,16}(不存在|未找到|找不到|无效|無效|已停用|已注销)|(找不到|未找到)(您|你|所)?(输入|輸入|指定)?的?(电子邮件|電子郵件)?(地址|收件人)|(找不到|没有|沒有|无此|無此|不存在的?)(这个|這個|该|該|此)?(收件人|用户|用戶|使用者|邮箱|郵箱|信箱|地址)
	(수신자|사용자|받는 ?사람|계정|주소|메일함).{0,16}(찾을 수 없|존재하지|없습니다|알 수 없|잘못)|존재하지 않는 ?(계정|사용자|주소|수신자|메일)|(המשתמש|הנמען|הכתובת|התיבה|תיבת הדואר).{0,24}(אינו קיים|אינה קיימת|לא (קיים|קיימת|נמצא|נמצאה|מוכר))|(المستخدم|المستلم|العنوان|الحساب|البريد).{0,30}(غير (موجود|معروف|صالح)|لا يوجد|لم يتم العثور)`)

// failedAbroad says that a mail did not arrive, whatever the reason.
var failedAbroad = rows(`
	(konnte|kann|wurde).{0,60}nicht (zu(ge)?stell|übermittelt|ausgeliefert|gesendet|übertragen)|zustellung.{0,40}(fehlgeschlagen|gescheitert|nicht möglich)|unzustellbar|n'a (pas )?(pu|été).{0,20}(être )?(remis|livré|délivré|envoyé|acheminé|distribué)|(remise|livraison|distribution).{0,30}(échoué|impossible)|échec de (la )?(remise|livraison|distribution|l'envoi)|non (remis|distribu)
	no (se )?(ha |pudo |puede |podido |ha podido ).{0,30}(entreg|enviar)|error (al|de) (enviar|entrega)|no entregad|(non|impossibile).{0,30}(recapit|consegn)|mancat[oa] (recapito|consegna)|não (foi|pôde|pode).{0,20}(possível )?(ser )?(entreg|envi)|falha (na|de) entrega|não é possível entregar|mensagem não entregue|no se puede entregar|impossibile recapitare|recapito non riuscito|(kon|kan|konden) niet.{0,40}(afgeleverd|bezorgd|verzonden|besteld)|onbestelbaar|niet bezorgd
	(dostarcz|doręcz)eni\p{L}*.{0,20}nie powiodł|nie(dostarcz|doręcz)(on|aln)|nie (można|udało|mógł|mogła|została?).{0,40}(dostarcz|doręcz)|(kunde|går|gick|kan) inte (att )?(levererat?s?|skickas?)|leveransen? misslyckades|(kunne|kan|kunde) ikke (leveres|sendes)|lever(ing|ansen?) (til.{0,40})?(mislykkedes|mislyktes)|ei voitu (toimittaa|lähettää)|(nelze|nebylo možné|nepodařilo se|nebolo možné).{0,20}doruč|nem (sikerült )?(kézbesít|továbbít)|nu a putut fi (livrat|transmis)
	nedoručiteln|nedoručen|(doručení|doručenie).{0,60}(nezdařilo|zlyhalo|selhalo)|kézbesíthetetlen|kézbesítés.{0,60}sikertelen|imposibil de livrat|livrare\p{L}*.{0,30}eșuat|nu (a fost|poate fi) livrat|toimittaminen.{0,60}epäonnistu|(kan|kunde) (inte|ikke) lever|nedostavljiv|isporuka.{0,40}nije uspjela|ni mogoče dostaviti
	сбой доставки|недоставлен|недоставк|не (может быть|была?|было|удалось|доставлен).{0,30}(достав|отправ)|не ?доставлен|не вдалося доставити|teslim edilemedi|iletilemedi|δεν (ήταν δυνατή|είναι δυνατή|παραδόθηκε).{0,30}|παράδοση.{0,40}απέτυχε|(המסירה).{0,40}נכשל
	(配信|配送|送信|お届け)(が|は|を)?(でき(ません|ず|なかった)|不能|に失敗|されませんでした)|届きません(でした)?|(无法|無法|未能|不能)(将|將|把)(您|你|此|该|該)?的?(邮件|郵件)|未(送达|送達|传递|傳遞|投递|投遞)|(无法|無法|未能|不能)(投递|投遞|送达|送達|发送|傳送|传递|傳遞|寄送|递送)|(投递|发送|送達|傳送|寄送)(失败|失敗)|退信|退回
	(전달|전송|배달|발송)(할 수 없|되지 (않|못)|하지 못|에 ?실패| 실패)|반송|(تعذر|فشل|لم يتم).{0,12}(تسليم|التسليم|توصيل|إرسال)|(לא ניתן|נכשלה?|לא היה אפשר).{0,16}(למסור|לשלוח|מסירה|שליחה)`)

// laterAbroad says that a mail has not arrived yet, or that it is tried again.
var laterAbroad = rows(`
	noch nicht|verzöger|weiter(hin)? versucht|(versuch|zustellung)\p{L}*.{0,60}(wiederholt|fortgesetzt)|weitere (zustell)?versuche|(nächster|erneuter) (zustell)?versuch|pas encore|retardé|différé|(nouvelles?|autres|prochaine) tentatives?|(todavía|aún) no|retras[aoó]|seguir(á|emos) intentando|nuevos intentos|se reintentará
	non .{0,30}ancora|ritard|(altri|ulteriori|nuovi) tentativi|ainda não|adiad[ao]|atras(ad[ao]|o)\b|novas tentativas|continuar(á|emos) (a tentar|tentando)|nog niet|vertra(agd|ging)|(opnieuw|nog|blijven) (geprobeerd|proberen)
	ännu inte|endnu ikke|ennå ikke|försen|fördröj|forsink|nya försök|nye forsøg|nye forsøk|ei ole vielä|viivästy|jeszcze|opóźnion|(kolejne|ponowne) prób|ponawian|(dosud|zatím) ne|zpožděn|opožděn|další pokus|még nem|késleltet|késik|încă nu|întârzi
	ещ[её] не|задерж|отложен|(попытк|отправ|достав)\p{L}*.{0,40}(продолж|повтор)|повторн\p{L}+ попыт|ще не|затрим|henüz|gecik|(^|[^\pL])ertelen|ακόμα|ακόμη|καθυστέρ|عدة محاولات|بعد حتى الآن|تأخ[رير]|עדיין לא|מתעכב
	まだ|未だ|遅延|遅れて|引き続き|再送を試み|再試行|尚未|还未|還未|延迟|延遲|(继续|繼續)(尝试|嘗試|投递|投遞)|아직|지연|계속 시도`)

// forGoodAbroad says that it is not.
var forGoodAbroad = rows(`
	endgültig|(nicht|keine) (mehr )?weiter|aufgegeben|définitiv|abandonn|aucune (nouvelle|autre)|definitiv|no se (volverá|seguirá)|permanent|nessun (altro|ulteriore)|não haverá|niet (meer|verder)|slutgiltig|endelig|lopullis|ostateczn|trwał|trval|végleges|окончательн|больше не|постоянн|остаточн|kalıcı|οριστικ
	断念|打ち切|永続|恒久|永久|放弃|放棄|不再|영구|중단`)
