package lint

import (
	"fmt"
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
			Level: markdown.Error, Code: "image-missing", Line: i.lineOfImage(ref), Words: short(ref),
			Message: "This picture did not come with the draft, so readers would see a gap.",
			Remedy:  fmt.Sprintf("Attach %s to the mail with the draft, or write the picture’s address, beginning with https://.", fileOf(ref)),
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
				Level: markdown.Warning, Code: "image-unused", Words: short(f.Name), Message: "This picture came with the draft, and the text does not show it.",
				Remedy: fmt.Sprintf("Write ![what it shows](%s) where it belongs, or leave it.", strings.ReplaceAll(f.Name, " ", "%20")),
			})
		}
	}
	if carried > heavyMail {
		found = append(found, markdown.Finding{
			Level: markdown.Warning, Code: "images-heavy", Line: heaviest.Line, Words: short(heaviest.Name),
			Message: fmt.Sprintf("The pictures weigh %.1f MB together, and every copy carries them.", float64(carried)/1e6),
			Remedy:  "Show fewer, or let the site serve them: images = \"host\" in the configuration.",
		})
	}
	return found
}

func fileOf(ref string) string {
	if strings.HasPrefix(strings.ToLower(ref), "cid:") {
		return "it"
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
				Message: "The address of this image names no site, so a mail cannot show it.",
				Remedy:  "Begin it with https:// and the name of the site, or attach the picture and write its file’s name.",
			})
		}
	}
	return found
}
