package lint

import (
	"path"
	"strings"

	"galley/compose/markdown"
)

// File is a picture that came with the draft.
type File struct {
	Name        string
	Line        int  // where the draft names it
	Used        bool // the draft shows it
	OnPurpose   bool // attached as a file, and not laid into the text by a mail program
	Why, Remedy string
	Carried     int // octets that every copy carries for it
}

// heavyMail is what the pictures of one mail may weigh together: every reader's
// copy carries them, and many mailboxes refuse mail of 10 MB.
const heavyMail = 3 << 20

// files tells of pictures that are named and did not come, that came and are not
// named, and that nobody can read.
func files(i *issue) []markdown.Finding {
	var found []markdown.Finding
	for _, ref := range i.Missing {
		found = append(found, markdown.Finding{
			Level: markdown.Error, Code: "image-missing", Line: i.lineOfImage(ref), Words: short(ref), Gaps: []any{fileOf(ref)},
		})
	}
	carried := 0
	var heaviest File
	for _, f := range i.Files {
		carried += f.Carried
		if f.Carried > heaviest.Carried {
			heaviest = f
		}
		switch {
		case f.Why != "" && f.Used:
			found = append(found, markdown.Finding{Level: markdown.Error, Code: "image-unreadable", Line: f.Line, Words: short(f.Name), Message: f.Why, Remedy: f.Remedy})
		case !f.Used && f.OnPurpose:
			found = append(found, markdown.Finding{
				Level: markdown.Warning, Code: "image-unused", Words: short(f.Name), Gaps: []any{strings.ReplaceAll(f.Name, " ", "%20")},
			})
		}
	}
	if carried > heavyMail {
		found = append(found, markdown.Finding{
			Level: markdown.Warning, Code: "images-heavy", Line: heaviest.Line, Words: short(heaviest.Name), Gaps: []any{float64(carried) / 1e6},
		})
	}
	return found
}

func fileOf(ref string) string {
	if strings.HasPrefix(strings.ToLower(ref), "cid:") {
		return "" // it has no name
	}
	return path.Base(ref)
}

func (i *issue) lineOfImage(ref string) int {
	for _, img := range i.Doc.Images {
		if img.URL == ref {
			return img.Line
		}
	}
	return 1 // the head names it
}

// sitePaths finds images that name a path and no site.
func sitePaths(i *issue) []markdown.Finding {
	var found []markdown.Finding
	for _, img := range i.Doc.Images {
		if strings.HasPrefix(img.URL, "/") && !strings.HasPrefix(img.URL, "//") && !i.HasSite {
			found = append(found, markdown.Finding{
				Level: markdown.Warning, Code: "relative-image", Line: img.Line, Words: short(img.URL),
			})
		}
	}
	return found
}
