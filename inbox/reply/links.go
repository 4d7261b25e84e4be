package reply

import (
	"regexp"
	"strings"

	"mvdan.cc/xurls/v2"
)

const (
	maxLinkText = 256 << 10 // octets that are searched
	maxLinks    = 50        // links of one mail
	maxLink     = 2048      // octets of one link
)

var wwwPattern = regexp.MustCompile(`(?i)(^|[\s(<\[])(www\.[a-z0-9-]+(\.[a-z0-9-]+)+[^\s<>"\])]*)`)

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
	strict := xurls.Strict()
	for _, word := range strings.Fields(wwwPattern.ReplaceAllString(own, "${1}http://$2")) {
		if len(all) >= maxLinks {
			break
		}
		if !strings.Contains(word, "://") {
			continue
		}
		for _, link := range strict.FindAllString(word, maxLinks) {
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
