package inbox

import (
	"path"
	"strings"

	"galley/compose"
	"galley/inbox/mime"
)

// pictureNames are the endings by which a file is known as a picture, whatever
// type the mail program gave it. Those that no mail program shows are among
// them: the editor is told.
var pictureNames = map[string]bool{".jpg": true, ".jpeg": true, ".png": true, ".gif": true, ".webp": true, ".heic": true, ".heif": true,
	".tif": true, ".tiff": true, ".bmp": true, ".svg": true, ".avif": true}

// Pictures lists the pictures that came with a mail, attached or laid into its
// text.
func Pictures(m *mime.Message) []compose.Enclosed {
	var all []compose.Enclosed
	for i := range m.Parts {
		p := &m.Parts[i]
		if p.Size == 0 || !strings.HasPrefix(p.Type, "image/") && !pictureNames[strings.ToLower(path.Ext(p.Name))] {
			continue
		}
		all = append(all, compose.Enclosed{Name: p.Name, ContentID: p.ContentID, Data: p.Data, File: p.ContentID == "" || p.Disposition == "attachment" && !strings.Contains(m.HTML, p.ContentID)})
	}
	return all
}
