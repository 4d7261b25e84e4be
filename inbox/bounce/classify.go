package bounce

import (
	"regexp"
	"strings"

	"galley/inbox/gated"
)

// Classify says what a failed delivery means for the reader. status is an RFC
// 3463 code or "", diagnostic the words of the server that failed. The words
// decide where the code is vague, and a policy named in words outranks any
// code that blames the address: 5.7.x, spam and block lists say that we are
// refused, not the reader.
func Classify(status, diagnostic string) string {
	return classify(status, diagnostic, phraseClass(diagnostic))
}

// classify is Classify where the class of the words is known.
func classify(status, diagnostic, words string) string {
	code := statusClass(status)
	switch {
	case status == "5.1.7" || status == "5.1.8":
		return Ours // the sender's address, whatever the words (RFC 3463 section 3.2)
	case code == "" || vague(status):
		if words != "" {
			return words
		}
	case words == Ours && (code == Hard || strings.HasPrefix(status, "5.2.")):
		return Ours
	case words != "" && (code == Ours && words != Soft || loose(status)):
		return words
	}
	if code != "" && !(code == Soft && vague(status) && status[0] == '5') {
		return code
	}
	return replyClass(diagnostic)
}

// loose names the codes that servers use for nearly anything, and those that
// Exchange Online has made up for all that happens on the way.
func loose(status string) bool {
	if strings.HasPrefix(status[2:], "4.3") && len(status) == len("5.4.310") {
		return true
	}
	switch status[2:] {
	case "1.0", "1.1", "4.4", "2.0", "3.0", "4.0", "4.7", "4.1", "7.0", "7.1", "3.5", "3.2", "2.1", "5.1", "5.2", "5.4", "6.0":
		return true
	}
	return false
}

// statusClass is the table of codes alone, "" for a vague one.
func statusClass(status string) string {
	switch {
	case status == "" || len(status) < 5:
		return ""
	case strings.HasPrefix(status, "2"):
		return None
	case strings.HasPrefix(status, "4"):
		return Soft
	}
	switch status[2:] {
	case "1.0", "1.1", "1.3", "1.6", "1.10", "2.1":
		return Hard
	case "1.2", "4.4", "4.1":
		return Domain
	case "2.2", "4.7", "4.2", "4.6":
		return Soft
	}
	switch subject := status[2:4]; subject {
	case "7.", "6.", "5.", "3.":
		if vague(status) {
			return ""
		}
		return Ours
	case "1.":
		return Hard
	}
	return Soft
}

var replyCode = regexp.MustCompile(`(^|[^\d.])([45]\d\d)([ \-:#>)]|$)`)

// replyClass reads the bare reply code of a server that gave nothing else. One
// to RCPT without a policy word blames the address (550, 551, 553).
func replyClass(diagnostic string) string {
	m := replyCode.FindStringSubmatch(diagnostic)
	if m == nil {
		return Soft
	}
	switch lower := strings.ToLower(diagnostic); {
	case m[2] == "550" || m[2] == "551" || m[2] == "553" || m[2] == "511":
		if aboutUs.Match(lower, lower) {
			return Ours
		}
		return Hard
	case m[2] == "554" || m[2] == "571" || m[2] == "521":
		return Ours
	}
	return Soft
}

// phraseClass finds the first row of the table whose words occur; "" if none.
func phraseClass(text string) string {
	text = strings.ToLower(strings.Join(strings.Fields(text[:min(len(text), 4<<10)]), " "))
	// Postfix puts these words before any reason at all.
	text = strings.ReplaceAll(text, "recipient address rejected:", "")
	if class := firstRow(refusals, text); class != "" {
		return class
	}
	if blamesSender(text) {
		return Ours
	}
	return firstRow(reasons, text)
}

func firstRow(table []phrase, lower string) string {
	for _, p := range table {
		if p.words.Match(lower, lower) {
			return p.class
		}
	}
	return ""
}

// phrase is one row: words of many servers for one thing.
type phrase struct {
	class string
	words *gated.Pattern
}

// refusals are asked first: what blames us, and what must not be taken for it.
var refusals = []phrase{
	{Soft, gate(`host not found, try again|unverified address|verification in progress|temporary (dns|lookup)|malformed or unexpected name server|mail at a rate|too (quickly|fast|often)|rate that|(mail ?box|account|user|recipient|address).{0,30}temporarily|temporarily.{0,10}(disabled|suspended|unavailable|locked|inactive|full)`)},
	{Hard, gate(`5\.4\.1 .{0,120}access denied`)},
	{Soft, gate(`(user|recipient)('s)? (mail ?box|inbox).{0,20}exceed|(mail ?box|inbox)('s)? (size|storage|quota|limit).{0,20}(exceed|reached)`)},
	{Domain, gate(`account or domain may not exist`)},
	{Hard, gate(`(blocked|disabled|suspended|closed|locked|deactivated).{0,20}inactivity|inactive (account|user|mailbox|recipient)`)},
	{Ours, gate(`spam|\bblocked\b|black ?list|block ?list|deny ?list|\brbl\b|dnsbl|spamhaus|spamcop|barracuda|reputation|(is|are|been|was|client) listed|\bpolicy\b|policies|\bspf\b|\bdkim\b|\bdmarc\b|reverse dns|ptr record|rdns|unsolicited|bulk mail|virus|malware|worm|infected|` +
		`content (rejected|filter|denied|violation)|accepts? (any )?(mails?|messages?) from|forbidden|in (the |your )?headers?\b|(mail|message) sending|newsletter|phishing|message (rejected|refused|blocked|content|contains [a-z])|access denied|not authenticated|authentication|valid from|from:? domain|from address|my name was rejected|unauthenticated|relay(ing)? (access )?(denied|not (allowed|permitted))|not permitted to relay|unable to relay|relaying (denied|prohibited)|too many.{0,20}(connections|messages|recipients|errors)|rate.?limit|frequency|throttl|greylist|grey-list|` +
		`\bsize.{0,30}exceed|\bmessage\b.{0,40}exceed|too large|too big|(exceed|over).{0,30}(size|max)|size limit|client host rejected|sender.{0,40}(rejected|denied|verif|address|unknown|invalid|not exist|in my)|domain of sender|envelope sender|bad(mail|rcpt)?from|rcpthosts|attack|helo|ehlo|starttls|bad (header|sender)|header error|headers? too|not (accept|allow).{0,30}(attachment|file)|attachments?.{0,40}(not|reject|block|type|forbid)|(forbidden|illegal|blocked|dangerous|executable).{0,20}attachment|` +
		`client.{0,20}not allowed|ip address.{0,60}(reject|refus|denied|not allowed)|banned|prohibited|suspicious|complaint|security|violat|not (on|in) .{0,20}(whitelist|allow)|only accepts? (mail|messages) from|restricted|permission|not allowed to (send|post)|requires that|delivery not authorized|administrative prohibition|not authorized|refused by|refused your|service refused|out of memory`)},
	{Ours, refusedAbroad},
	{Soft, fullAbroad},
	{Soft, gate(`(mail ?box|inbox|quota|disk|storage|account|user|folder|maildir).{0,60}(full|exceed|over|limit|out of|reached)|over ?quota|quota.{0,20}exce|exceed.{0,40}quota|insufficient (disk|space|storage|system storage)|no space|not enough (space|storage|disk)|容量|volgelopen|mailbox.{0,12}vol|quota`)},
}

// reasons are asked next, unless it is the sender that the words find fault
// with: what is certain about the domain and the address, then what may pass.
var reasons = []phrase{
	{Domain, placelessAbroad},
	{Domain, gate(`host (or domain name )?(unknown|not found)|unknown host|no such (host|domain)|domain.{0,60}(not found|does ?n.t exist|does not exist|couldn.t be found|not exist|unknown|invalid)|unrouteable (mail )?domain|unrouteable address|unroutable|nxdomain|null ?mx|name server.{0,40}not found|no mx|(mx|srv) record|mail exchanger|bad destination (host|system)|` +
		`couldn.t find any host|can.t find .{0,30}(host|domain)|illegal host|invalid (host|domain)|not.{0,30}resolve|name or service|all relevant mx|lowest numbered mx|domain has no|no route|host name lookup fail|nullmx|does not accept mail|host lookup|dns lookup fail|host [^:]{1,60} not found`)},
	{Hard, goneAbroad},
	{Hard, gate(`unrecogni[sz]ed-or-name|not a (valid|known) (user|recipient)|account not available|such object|(nobody|no one|no user) (by|of|with) (that|this) name|wrong (recipient|address)|rcpt.{0,20}(unknown|invalid)|match(es)? (any|no) (user|mail ?box|account|recipient)|\S@\S+ (is )?(unknown|undeliverable)|(user|account|mail ?box|recipient|address|addressee|name|alias|id|local part|mailbox name|username|inbox).{0,80}(unknown|not (exist|found|known|listed|valid|active|here|recogni[sz]ed|a valid|our|in)|does ?n.t exist|n.t exist|doesn.t have|invalid|no longer|disabled|inactive|discontinued|suspended|deactivat|expired|unavailable|rejected|closed|terminated|deleted|undeliverable|cannot be found|couldn.t be found|isn.t|is not|has moved|unrecognized|ambiguous|locked)|` +
		`(unknown|no such|invalid|bad|unrecognized|illegal|nonexistent|non-existent|not a valid|inactive|undeliverable|incorrect|disabled|dead).{0,40}(user|account|mail ?box|recipient|address|addressee|alias|name|person|destination|subscriber|customer|local.?part)|no mail ?box|not (found|listed) in|does ?n.t (have|handle|exist)|does not (have|exist|like recipient)|user.{0,20}not|` +
		`no longer (in use|on server|work|valid|a |exists?|accept|avail|here|with)|has (moved|left|been (disabled|closed|deleted|suspended))|not our (customer|user)|unknown (user|recipient|address)|could ?n.t be found|can.?not find|(couldn.t|could not|unable to) (be )?(find|found)|no account|isn.t (a|in)|no one by that|there is no|this is a non-existing|no existe|existe pas|unbekannt|onbekend|ukjent|inconnu|desconocid|inexistent|nicht gefunden|存在しま|見つかりません|宛先不明|user does not|不存在|не найден|не существует|recipnotfound|badrcptto|@\S+ rejected|no .{0,20}user`)},
	{Soft, gate(`timed? ?out|timeout|expired|too long|could not be delivered (for|in|within)|retry|connection (refused|reset|lost|timed|closed|died)|(no|not) answer|unreachable|temporar|try again|try later|deferred|delayed|too busy|loop|hop count|too many hops|network|not respond|giving up|system (error|failure|full)|local error|i/o error|queue|internal (server )?error|resources`)},
}
