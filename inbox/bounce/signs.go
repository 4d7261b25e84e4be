package bounce

import (
	"regexp"
	"strings"

	"galley/inbox/mime"
)

var (
	daemonName  = gate(`(?i)mailer[- _]?daemon|mail ?delivery|post[ _]?master|mail ?administrator|system administrator|delivery (subsystem|system|status)|^double-bounce|mail ?system|^mdaemon|daemon@|^bounce|returned mail|mail server|mailer@|mta@|^smtp|microsoft ?exchange|spam firewall|mail ?router|mail ?gateway|anti-?(spam|virus)|smtp.?gateway`)
	machineName = gate(`(?i)daemon|post[ _]?master|smtp|mta|mailer|bounce|virus|gateway|no-?reply|service|system`)
	failSubject = gate(`(?i)undeliver|message you sent.{0,20}(blocked|rejected)|returned mail|return(ed|ing) (mail|message|to sender)|delivery (status )?(notification|failure|failed|problem|error|report|unsuccess|has failed)|fail(ed|ure).{0,20}(notice|delivery|deliver|mail)|failure notice|mail (delivery|system|error|could not)|non.?deliver|not (be )?deliver|(could|can)(not|n.t| not) (be )?(deliver|send|sent)|unable to deliver|undelivered|message (delayed|not delivered|delivery|status|expired)|delayed? (mail|delivery|message)|warning: .{0,40}(message|mail)|rejected|unzustellbar|nicht zugestellt|non remis|niet bezorgd|no entregado|unknown (user|recipient|address|mailbox)|user unknown|mailbox (full|unavail)|nondeliverable|mail failure|problems? (with|delivering)|error (in|sending|delivering)|bounce|エラー|配信|返送|退信|не доставлен|recapito|onbestelbaar|doręczen|falha na entrega`)
	autoSubject = gate(`(?i)out of (the )?office|vacation|auto.?(matic)?.?(reply|response|respond|antwort)|autoreply|automatic reply|abwesen|away from|on holiday|absence|réponse automatique|respuesta automática|out-of-office|no longer (with|works)|thank you for (your|contacting)|confirm|verif|ticket|challenge|whitelist|moderat`)
	answerMark  = regexp.MustCompile(`(?i)^\s*(re|aw|sv|fwd?|wg|tr|rv|antw|vs|odp)\s*(\[\d+\])?:`)
	failWords   = gate(`(?i)undeliver|could ?n.t be (delivered|sent)|could not be (delivered|sent|processed)|(not|cannot|can't|can not) be delivered|delivery.{0,60}fail|failed.{0,60}(deliver|recipient|address)|unable to deliver|was(n.t| not) (delivered|able to)|did not reach|not (been )?delivered|had (permanent )?fatal errors|permanent (fatal )?error|returned (to (the )?sender|mail|message|unread|for the following)|(message|mail) (was |has been )?(rejected|refused|returned|bounced)|bounce|delivery (to the|has been|status|error|attempt|delayed|was|notif)|rejected|user unknown|unknown user|no such user|mailbox.{0,20}(full|unavailable|not found)|over quota|giving up|does not exist|doesn.t exist|couldn.t be found|invalid (recipient|address)|recipient.{0,30}(unknown|not|rejected|invalid)|(host|domain).{0,20}(unknown|not found)|could not (deliver|send)|cannot (deliver|send)|not (known|listed)|error (sending|delivering|occurred)|is disabled|no longer|\b5[0-9][0-9][ -]|\b[45]\.\d\.\d\b|エラー|できません|ませんでした|存在しま|unzustellbar|nicht zugestellt|impossible de|不存在|退回`)
)

// mayBounce tells whether the head of a message that reports in plain words
// lets it be a bounce. It must come from a machine of mail: by its name, by
// writing no name at all, or by giving our mail back under the title of a
// bounce or on the null path. A title alone proves nothing, for people write
// about delivery too; nor does the null path alone, which is that of automatic
// answers (RFC 3834 section 3.3). A person's answer to a bounce is none.
func mayBounce(m *mime.Message) bool {
	titled, answers := bounceTitle(m), autoSubject.MatchString(m.Subject)
	switch {
	case answerMark.MatchString(m.Subject) && !byDaemon(m), answers && !titled:
		return false
	case byDaemon(m) || len(m.From) == 0:
		return true
	case personal(m):
		return false
	case titled && nullPath(m) && !answers && !answersByItself(m):
		return true
	}
	return (titled || nullPath(m) && !answersByItself(m)) && givesBack(m)
}

// personal tells the mail of a person: its envelope names the author. A bounce
// has the null path (RFC 5321 section 4.5.5), or at worst that of a machine.
func personal(m *mime.Message) bool {
	for _, v := range m.Header.Raw("Return-Path") {
		if a := strings.Trim(strings.TrimSpace(v), "<>"); a != "" && strings.EqualFold(a, m.From[0].Addr) {
			return !machineName.MatchString(a)
		}
	}
	return false
}

// answersByItself knows the automatic answers to mail of persons (RFC 3834
// section 5); machines of mail that call their bounces so are known by name.
func answersByItself(m *mime.Message) bool {
	auto := strings.ToLower(m.Header.Get("Auto-Submitted"))
	return strings.HasPrefix(strings.TrimSpace(auto), "auto-replied") || m.Header.Has("X-Autoreply") || m.Header.Has("X-Autorespond")
}

// givesBack tells whether a message holds the mail that it is about, or its
// header.
func givesBack(m *mime.Message) bool {
	for i := range m.Parts {
		switch m.Parts[i].Type {
		case "message/rfc822", "text/rfc822-headers", "message/rfc822-headers":
			return true
		}
	}
	_, returned := cutReturned(readAll(m))
	return strings.Contains(returned, ": ")
}

// saysBounced tells whether such a message says that something failed.
func saysBounced(m *mime.Message, before string) bool {
	head := before[:min(len(before), 16<<10)]
	if byDaemon(m) && qmailLine.MatchString(head) {
		return true
	}
	return failWords.MatchString(head) || aboutAddress(strings.ToLower(head)) || bounceTitle(m) && fromMachine(m)
}

func looksBounced(m *mime.Message, before string) bool { return mayBounce(m) && saysBounced(m, before) }

func bounceTitle(m *mime.Message) bool {
	return failSubject.MatchString(m.Subject) || failedAbroad.MatchString(strings.ToLower(m.Subject))
}

// byDaemon tells a sender with the name of a machine of mail.
func byDaemon(m *mime.Message) bool {
	return len(m.From) > 0 && (daemonName.MatchString(m.From[0].Addr) || daemonName.MatchString(m.From[0].Name))
}

func fromMachine(m *mime.Message) bool {
	return byDaemon(m) || len(m.From) == 0 || nullPath(m)
}

// aboutAddress tells whether words of any language say that a mail did not
// arrive, or why.
func aboutAddress(lower string) bool {
	return failedAbroad.MatchString(lower) || goneAbroad.MatchString(lower) || fullAbroad.MatchString(lower) || laterAbroad.MatchString(lower) || refusedAbroad.MatchString(lower) || blamesSender(lower) || notValid.MatchString(lower)
}

var notValid = gate(`not a valid (user|recipient|address|mail ?box)|no such (address|recipient|mail ?box|person|account)|(unknown|invalid) (mail ?box|account)|mail ?box (is )?(unknown|invalid|disabled)`)

func nullPath(m *mime.Message) bool {
	for _, v := range m.Header.Raw("Return-Path") {
		if strings.TrimSpace(v) == "<>" {
			return true
		}
	}
	return false
}

var (
	delayWords = gate(`(?i)(will|is) (continue to )?(be )?(retr|try(ing)?|attempt|continue)|will (keep|continue) trying|delivery attempts will continue|still undelivered|(has|have) not (yet been delivered|been delivered (yet|so far|after|for))|has been delayed|this is a warning|warning message only|you do not need to resend|no action is required|temporarily (delayed|unable)|temporary failure report|kept in the queue|(is|been|was) delayed|not need to re-?send|not yet been|continue.{0,30}(deliver|try)|being retried|delivery.{0,20}delayed|retry (for|until)|will be (re)?tried|next (attempt|retry|try)|further attempts (will|to)`)
	finalWords = gate(`(?i)giving up|permanent(ly)? (error|fail|fatal)|could not be delivered|has failed|returned to sender|did not reach|undeliverable|fatal error|cannot be delivered|expired|removed from the queue|unable to deliver`)
	delayTitle = gate(`(?i)delay|warning|delivery problem|still (trying|undelivered)|deferred`)
)

// isDelay tells whether the words promise to try again.
func isDelay(m *mime.Message, before string) bool {
	if delayWords.MatchString(before) && (delayTitle.MatchString(m.Subject) || !finalWords.MatchString(before)) {
		return true
	}
	lower := strings.ToLower(before)
	return laterAbroad.MatchString(lower) && (laterAbroad.MatchString(strings.ToLower(m.Subject)) || !forGoodAbroad.MatchString(lower))
}

var (
	anyAddress  = regexp.MustCompile(`[A-Za-z0-9!#$%&'*+/=?^_{|}~.\-\x{80}-\x{10ffff}"]+@[A-Za-z0-9\-\x{80}-\x{10ffff}]+(\.[A-Za-z0-9\-\x{80}-\x{10ffff}]+)*`)
	addressLine = regexp.MustCompile(`(?i)^[ \t*>-]*("[^"]*" )?(to:? |recipient( address)?:? |user:? |address:? |rcpt to:? ?|e-?mail:? |failed (recipient|address):? |unknown (user|recipient|address):? |original-recipient: ?|final-recipient: ?)?(rfc822;)? ?[<(]?[^\s<>@]+@[^\s<>@:;,]+[>)]?[ \t]*([:;,.(]|\.\.\.|$|-|\son\s|\s+[A-Z0-9])`)
	rcptTo      = regexp.MustCompile(`(?i)(rcpt to|recipient( address| name)?|(?:original|final)-recipient|undeliverable (address|recipient)|addressed to|delivered to|deliver(ed)?( (your|the|this|a) (message|mail|email))? to|message to|mail to|send(ing)? (your|the|a) (message|mail|email)? ?to|(unknown|invalid|no such) (user|recipient|address|account)|for the (recipient|user|address)|user|account|mailbox)( following)?( address(es)?| recipients?| users?)?\s*[:=]?\s*(rfc822;)?\s*["'<(\[]*([^\s<>"'()\[\]]+@[^\s<>"'()\[\],;]+)`)
	qmailLine   = regexp.MustCompile(`(?m)^<[^\s<>@]+@[^\s<>@]+>:[ \t]*$`)
	replyLine   = regexp.MustCompile(`^[45]\d\d[ -]([245]\.\d{1,3}\.\d{1,3} )?<?([^\s<>()]+@[^\s<>():;,]+?)>?(\.\.\.|:)`)
	hiddenForms = regexp.MustCompile(`(?i)(?:\bSMTP=|expanded from: ?<?)([^\s;<>()]+@[^\s;<>()]+)`)
	listIntro   = gate(`(?i)(following|these|this) (e-?mail )?(recipient|address|user|destination|person)[^\n@]{0,60}$|permanent (fatal|delivery) errors|recipient\(s\):|(not|n't) (be )?(delivered|reach)( to)?:?$`)
	contactLine = gate(`(?i)(contact|ask|help|assistance|questions|please (send|e?-?mail|forward|write)|report|complain|problems?).{0,80}@|^\s*(from|reply-to|cc|sender|return-path|message-id|date|received|x-[a-z-]+|by|id|helo|said: )\s*:|message-id|mail from`)
)

// recipients finds the addresses that a free text says failed: first behind
// the words that introduce them, then anywhere; the address that the report
// itself went to counts only when there is no other.
func recipients(m *mime.Message, before string) []string {
	for _, text := range []string{introduced(before), before} {
		if found := addressesIn(text, notRecipients(m)); len(found) > 0 {
			return found
		}
	}
	sure, _ := sureAddresses(before, map[string]bool{})
	return sure
}

// introduced gives what stands below "the following addresses failed".
func introduced(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if len(line) < 300 && listIntro.MatchString(strings.TrimSpace(line)) {
			return strings.Join(lines[i+1:], "\n")
		}
	}
	return ""
}

func addressesIn(text string, not map[string]bool) []string {
	sure, loose := sureAddresses(text, not)
	if len(sure) > 0 {
		return sure
	}
	if len(loose) > 5 {
		return nil // a text full of addresses names none
	}
	return loose
}

// sureAddresses tells the addresses that a form of words or punctuation calls
// recipients from those that just occur.
func sureAddresses(text string, not map[string]bool) (sure, loose []string) {
	s, l := finder{not: not}, finder{not: not}
	for _, line := range strings.Split(text, "\n") {
		if len(line) > 2000 {
			continue
		}
		for _, at := range hiddenForms.FindAllStringSubmatch(line, 5) {
			s.add(at[1])
		}
		for _, at := range rcptTo.FindAllStringSubmatch(line, 5) {
			s.add(at[len(at)-1])
		}
		if at := replyLine.FindStringSubmatch(strings.TrimSpace(line)); at != nil {
			s.add(at[2])
		}
		if contactLine.MatchString(line) {
			continue
		}
		found := anyAddress.FindAllString(line, 20)
		if addressLine.MatchString(line) && len(found) > 0 {
			s.add(found[0])
		}
		for _, a := range found {
			l.add(a)
		}
	}
	return s.found, l.found
}

// notRecipients are the addresses of both ends of the report itself.
func notRecipients(m *mime.Message) map[string]bool {
	not := map[string]bool{}
	for _, list := range [][]mime.Address{m.From, m.To, m.Cc, m.ReplyTo} {
		for _, a := range list {
			not[strings.ToLower(a.Addr)] = true
		}
	}
	return not
}

// finder gathers addresses, each once.
type finder struct {
	found []string
	not   map[string]bool
}

func (f *finder) add(a string) {
	a = alone(a)
	a = strings.Trim(a, ".,;:'\"<>()[]-=")
	lower := strings.ToLower(a)
	local, domain, ok := strings.Cut(lower, "@")
	if !ok || local == "" || !strings.Contains(domain, ".") || f.not[lower] || len(f.found) >= maxReports {
		return
	}
	if local == "mailer-daemon" || local == "postmaster" {
		return
	}
	for _, have := range f.found {
		if strings.EqualFold(have, a) {
			return
		}
	}
	f.found = append(f.found, a)
}

// alone takes off an address what touches it: in scripts that put no spaces
// the words and marks on both sides, in [SMTP:ada@…] its kind.
func alone(a string) string {
	at := strings.LastIndexByte(a, '@')
	if at < 0 {
		return a
	}
	local, domain := a[:at], a[at:]
	for _, mark := range []string{"：", "（", "「", "【", "《", "，", "；", "、", "SMTP:", "smtp:", "mailto:"} {
		if i := strings.LastIndex(local, mark); i >= 0 {
			local = local[i+len(mark):]
		}
	}
	if i := strings.IndexAny(domain, "）」】》，。；、："); i >= 0 {
		domain = domain[:i]
	}
	return local + domain
}
