package main

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"

	"galley/inbox/mime"
	"galley/send/message"
)

// painted is a picture of a file's kind: a slope of colours, which no encoder
// makes into one colour.
func painted(name string, w, h int) []byte {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.SetRGBA(x, y, color.RGBA{uint8(255 * x / w), uint8(255 * y / h), uint8(x ^ y), 255})
		}
	}
	var b bytes.Buffer
	if path.Ext(name) == ".png" {
		if png.Encode(&b, img) != nil {
			return nil
		}
		return b.Bytes()
	}
	if jpeg.Encode(&b, img, nil) != nil {
		return nil
	}
	return b.Bytes()
}

// mailsWith mails a draft as text, with pictures such as "quay.jpg 2000x1000".
func (s *story) mailsWith(w []string) {
	by := s.person(w[0])
	m := s.begin(by, "this week's", s.draft(w[1]))
	for _, p := range strings.Split(w[2], ", ") {
		var name string
		var width, height int
		if _, err := fmt.Sscanf(strings.Replace(p, "x", " ", 1), "%s %d %d", &name, &width, &height); err != nil {
			s.t.Fatalf("%q is no picture: %v", p, err)
		}
		m.Attachments = append(m.Attachments, message.Attachment{Name: name, Type: "image/jpeg", Data: painted(name, width, height)})
	}
	s.world.post(by, m)
}

// repliesPictures answers as Outlook does: the quote is HTML, the pictures of
// the mail come back with it, and the writer's signature has one of its own.
func (s *story) repliesPictures(w []string) {
	by := s.person(w[0])
	last := s.found(by, "")
	m := s.answer(by, last, written(w[1]))
	html := "<p>" + strings.ReplaceAll(written(w[1]), "\n", "<br>") + `</p><p>Ines<br><img src="cid:logo@ines.example"></p><div id="appendonsend"></div><hr><div id="divRplyFwdMsg"><b>From:</b> Quiet Machines<br><b>Subject:</b> ` + last.Subject + `</div>` + last.HTML
	m.HTML = []byte(html)
	m.Inline = []message.Attachment{{Name: "image001.png", Type: "image/png", ContentID: "logo@ines.example", Data: painted("image001.png", 120, 40)}}
	for i := range last.Parts {
		if p := &last.Parts[i]; p.ContentID != "" {
			m.Inline = append(m.Inline, message.Attachment{Name: p.Name, Type: p.Type, ContentID: p.ContentID, Data: p.Data})
		}
	}
	if len(m.Inline) < 2 {
		s.t.Fatalf("%q has no pictures", last.Subject)
	}
	s.world.post(by, m)
}

// shows checks that the mail's HTML shows a picture that the mail carries.
func (s *story) shows(w []string) {
	s.t.Helper()
	s.carries(s.seen.Message, w[0], number(w[1]), number(w[2]))
}

func (s *story) carries(m *mime.Message, name string, width, height int) {
	s.t.Helper()
	for i := range m.Parts {
		p := &m.Parts[i]
		if p.Name != name || p.ContentID == "" || !strings.Contains(m.HTML, `src="cid:`+p.ContentID+`"`) {
			continue
		}
		if c, _, err := image.DecodeConfig(bytes.NewReader(p.Data)); err != nil || c.Width != width || c.Height != height {
			s.t.Errorf("%s: %d by %d, %v", name, c.Width, c.Height, err)
		}
		return
	}
	s.t.Errorf("%q shows no picture %s", m.Subject, name)
}

// copiesShow checks every reader's copy.
func (s *story) copiesShow(w []string) {
	s.t.Helper()
	n := 0
	for _, a := range s.sink.Messages() {
		m, err := mime.Read(a.Octets)
		if err == nil && s.delivery(a) && strings.HasPrefix(m.Subject, w[0]+" ") {
			s.carries(m, w[1], number(w[2]), number(w[3]))
			n++
		}
	}
	if n == 0 {
		s.t.Errorf("there are no copies of %s", w[0])
	}
}

// pageShows opens an issue's page and every picture of the site on it.
func (s *story) pageShows(w []string) {
	s.t.Helper()
	page := s.opened("https://quiet.example/newsletter_issues/" + w[0])
	n := 0
	for _, rest := range strings.Split(page.Body.String(), `src="https://quiet.example`)[1:] {
		at, _, _ := strings.Cut(rest, `"`)
		answer := s.opened("https://quiet.example" + at)
		if _, _, err := image.DecodeConfig(answer.Body); err != nil {
			s.t.Errorf("%s is no picture: %v", at, err)
		}
		n++
	}
	if n != number(w[1]) {
		s.t.Errorf("the page shows %d pictures of the site", n)
	}
}

func (s *story) opened(address string) *httptest.ResponseRecorder {
	s.t.Helper()
	pages, err := s.house.web(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	answer := httptest.NewRecorder()
	pages.Handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, address, nil))
	if answer.Code != http.StatusOK {
		s.t.Errorf("%s: %d", address, answer.Code)
	}
	return answer
}
