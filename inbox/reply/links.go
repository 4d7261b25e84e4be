package reply

import (
	"regexp"
	"strings"
	"sync"

	"mvdan.cc/xurls/v2"
)

const (
	maxLinkText = 256 << 10 // octets that are searched
	maxLinks    = 50        // links of one mail
	maxLink     = 2048      // octets of one link
	maxWords    = 2000      // words that hold a link, repeated ones too
	maxWordLen  = 64 << 10  // octets of one word, which in Chinese is a whole page
)

var wwwPattern = regexp.MustCompile(`(?i)(^|[\s(<\[])(www\.[a-z0-9-]+(\.[a-z0-9-]+)+[^\s<>"\])]*)`)

// strictLinks is made once and late: it is a large pattern, and most runs of
// the program read no mail.
var strictLinks = sync.OnceValue(xurls.Strict)

// Links finds the web addresses in what a person wrote, in their order and
// each once. An address without a scheme counts when it begins with "www.".
func Links(own string) []string {
	own = strings.ReplaceAll(own[:min(len(own), maxLinkText)], "&amp;", "&")
	var all []string
	seen := map[string]bool{}
	add := func(link string) {
		link = trimLink(link)
		if webLink(link) && len(link) <= maxLink && len(all) < maxLinks && !seen[link] {
			seen[link] = true
			all = append(all, link)
		}
	}
	strict := strictLinks()
	tried := 0
	for _, word := range strings.Fields(wwwPattern.ReplaceAllString(own, "${1}http://$2")) {
		if !strings.Contains(word, "://") {
			continue
		}
		if tried++; len(all) >= maxLinks || tried > maxWords {
			break
		}
		for _, link := range strict.FindAllString(word[:min(len(word), maxWordLen)], maxLinks) {
			add(link)
		}
	}
	return all
}

// trimLink takes off what belongs to the sentence and its emphasis.
func trimLink(s string) string {
	return strings.TrimRight(s, "*_~`'\"’”».,;:!?")
}

func webLink(s string) bool {
	lower := strings.ToLower(s[:min(len(s), 9)])
	return strings.HasPrefix(lower, "http://") || strings.HasPrefix(lower, "https://")
}
