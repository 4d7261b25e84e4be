package send

import (
	"hash/fnv"
	"strings"
	"time"
)

// Class says whom a refusal concerns.
type Class string

// The classes of refusals (trust table of bounces).
const (
	ClassHard      Class = "hard"      // the address does not exist: the reader is suppressed
	ClassSoft      Class = "soft"      // this mailbox, this time; several issues of it suppress
	ClassDomain    Class = "domain"    // the whole domain takes no mail
	ClassOurs      Class = "ours"      // we are refused: never counts for the reader
	ClassComplaint Class = "complaint" // the reader called it spam: never mailed again
	ClassNone      Class = "none"      // nothing changed
)

// Times of the retry table (RFC 5321 section 4.5.4.1).
const (
	lifetime       = 5 * 24 * time.Hour
	ambiguousDelay = 10 * time.Minute
)

// retries are the waits after each refusal of a recipient; the last repeats.
var retries = []time.Duration{
	5 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour,
}

// backoffs are the waits after each fault of the line; the last repeats.
var backoffs = []time.Duration{
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute,
}

// retryAfter is the wait before the next attempt for a recipient who was
// refused n times, up to a tenth longer than the table says: the waits of one
// cohort spread, and none is shorter than a greylist's five minutes.
func retryAfter(n int, id int64) time.Duration {
	return jitter(step(retries, n), id, n)
}

func step(table []time.Duration, n int) time.Duration {
	return table[min(max(n, 1), len(table))-1]
}

// jitter lengthens d by up to a tenth. It is made from what it is for, so
// that a run can be replayed.
func jitter(d time.Duration, id int64, n int) time.Duration {
	h := fnv.New64a()
	for _, v := range []int64{id, int64(n)} {
		var b [8]byte
		for i := range b {
			b[i] = byte(v >> (8 * i))
		}
		h.Write(b[:])
	}
	return d + time.Duration(uint64(d)/10*(h.Sum64()>>44)>>20)
}

// policyWords name a refusal of the sender or the content in a reply that
// has no code for it.
var policyWords = []string{
	"spam", "block", "policy", "blacklist", "blocklist", "denylist", "reputation", "dmarc", "dkim", "spf ",
	"spf:", "rbl", "dnsbl", "spamhaus", "barracuda", "listed", "unsolicited", "abuse", "banned", "rejected due to",
	"not authorized", "not permitted", "authenticat", "relay", "too many", "rate limit", "content", "prohibit", "denied",
	"refuse", "virus", "malware", "phish", "junk", "unwanted", "not welcome", "not allowed", "callout", "callback", "verif",
	"helo", "ehlo", "tls", "encrypt", "reverse", "ptr ", "rdns", "greylist", "throttl", "frequen", "filter", "header", "attachment",
}

// senderWords name the one who sends or the machine it comes from: what is
// unknown or does not exist then is not the reader.
var senderWords = []string{"sender", "envelope from", "mail from", "return path", "return-path", "your ip", "your host", "your server", "your domain", "your network", "client host", "sending "}

// goneWords say that nobody has the address, and fullWords that its mailbox
// takes nothing now.
var (
	goneWords = []string{"user unknown", "unknown user", "no such user", "unknown recipient", "recipient unknown", "no such recipient", "no mailbox", "mailbox not found",
		"no such mailbox", "mailbox unavailable", "user not found", "recipient not found", "user does not exist", "user doesn't exist"}
	fullWords = []string{"quota", "mailbox full", "mailbox is full", "insufficient storage", "out of storage"}
)

// hardCodes say that this very address is not there, or does not take mail.
var hardCodes = []string{"5.1.0", "5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"}

// Classify sorts a refusal of one recipient by its SMTP code, its RFC 3463
// status and its words. The line's own faults are not its matter.
func Classify(code int, enhanced, text string) Class {
	text = strings.ToLower(text)
	switch {
	case code < 400:
		return ClassNone
	case enhanced == "5.4.4" || strings.Contains(text, "null mx") || strings.Contains(text, "nullmx") || enhanced == "5.1.10" && strings.Contains(text, "mx"):
		return ClassDomain // RFC 7505
	case strings.HasPrefix(enhanced, "5.7.") || strings.HasPrefix(enhanced, "5.5.") || strings.HasPrefix(enhanced, "5.6.") || enhanced == "5.3.4":
		return ClassOurs
	case code < 500 || code == 552: // RFC 5321 section 4.5.3.1.10: 552 to RCPT is temporary
		return ClassSoft
	case in(hardCodes, enhanced) && !names(text, "spam", "blacklist", "blocklist", "spamhaus", "not allowed to send", "authenticat") && !names(text, senderWords...):
		return ClassHard
	case enhanced == "" && (code == 550 || code == 551 || code == 553):
		return bareClass(text)
	case names(text, policyWords...), names(text, senderWords...):
		return ClassOurs
	}
	return ClassSoft
}

// bareClass judges a refusal to RCPT that gives no status; it blames the
// address unless the words speak of anything else.
func bareClass(text string) Class {
	switch {
	case names(text, senderWords...):
		return ClassOurs
	case names(text, goneWords...):
		return ClassHard
	case names(text, fullWords...):
		return ClassSoft
	case names(text, policyWords...):
		return ClassOurs
	}
	return ClassHard
}

func in(list []string, s string) bool {
	for _, v := range list {
		if v == s {
			return true
		}
	}
	return false
}

func names(text string, words ...string) bool {
	for _, w := range words {
		if strings.Contains(text, w) {
			return true
		}
	}
	return false
}
