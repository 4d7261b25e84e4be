package bounce

import (
	"regexp"
	"strings"
)

// Amazon's notices come as a mail that holds JSON, often inside a JSON string
// and broken into lines by the mail system, so no JSON parser reads them all.
var (
	noticeKind    = regexp.MustCompile(`"notificationType"\s*:\s*"(\w+)"`)
	noticeAddress = regexp.MustCompile(`"emailAddress"\s*:\s*"([^"@]+@[^"]+)"`)
	noticeStatus  = regexp.MustCompile(`"status"\s*:\s*"([245]\.\d+\.\d+)"`)
	noticeWords   = regexp.MustCompile(`"diagnosticCode"\s*:\s*"([^"]*)"`)
)

// notice reads a notification of Amazon SES; false when text is none.
func (r *Result) notice(text string) bool {
	text = text[:min(len(text), maxReadText)]
	if !strings.Contains(text, "notificationType") {
		return false
	}
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\n", ""), `\"`, `"`)
	kind := noticeKind.FindStringSubmatch(text)
	if kind == nil {
		return false
	}
	status, words := firstGroup(noticeStatus, text), firstGroup(noticeWords, text)
	for _, a := range noticeAddress.FindAllStringSubmatch(text, maxReports) {
		p := Report{Recipient: a[1], Status: status, Reason: oneLine(words)}
		switch kind[1] {
		case "Bounce":
			r.Kind, p.Action, p.Class = KindBounce, "failed", Classify(status, words)
		case "Complaint":
			r.Kind, p.Class = KindComplaint, Complaint
		case "Delivery":
			r.Kind, p.Action, p.Class = KindBounce, "delivered", None
		default:
			continue
		}
		r.Reports = append(r.Reports, p)
	}
	return len(r.Reports) > 0
}

func firstGroup(re *regexp.Regexp, s string) string {
	if m := re.FindStringSubmatch(s); m != nil {
		return m[1]
	}
	return ""
}
