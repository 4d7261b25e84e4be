package compose

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"strings"
	"testing"

	"galley/compose/markdown"
	"galley/compose/picture"
	"galley/templates"
)

func attached(t *testing.T, name, cid string, w, h int) *Attached {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, w, h))
	for i := range img.Pix {
		img.Pix[i] = uint8(len(name)*31 + i%7)
	}
	img.SetGray(0, 0, color.Gray{255})
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	p, err := picture.Fit(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return &Attached{Name: name, ContentID: cid, Picture: p, Size: b.Len(), File: cid == ""}
}

func renderedWith(t *testing.T, text string, f Frame) *Rendered {
	t.Helper()
	f.Name, f.Looks = "The Letter", templates.Look("")
	r, err := Render(t.Context(), markdown.Source{Text: []byte(text), Subject: "#12 - Quays", Exact: true}, 12, f)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestPicturesAreNamedInManyWays(t *testing.T) {
	quay := attached(t, "Quay at_six.JPG", "", 300, 200)
	inline := attached(t, "image001.png", "ii_k1@mail.example", 300, 200)
	umlaut := attached(t, "Mu\u0308hle.png", "", 300, 200) // as a Mac writes the name
	for ref, want := range map[string]*Attached{
		"quay%20at%20six.jpg": quay, "pictures/Quay_at_six.jpg": quay, "./Quay%20at_six.JPG": quay, `C:%5CQuay at_six.JPG`: nil, // a scheme
		"cid:ii_k1@mail.example": inline, "CID:ii_k1%40mail.example": inline, "cid:image001.png": inline, "image001.png": inline,
		"M%C3%BChle.png": umlaut, "mühle.png": umlaut,
		"other.jpg": nil, "cid:other": nil, "https://a.example/Quay%20at_six.JPG": nil, "//a.example/image001.png": nil, "/image001.png": nil, "": nil,
	} {
		f := Frame{Brought: []*Attached{quay}, Kept: []*Attached{inline, umlaut}}
		if got := f.find(ref); got != want {
			t.Errorf("%q: %v", ref, got)
		}
	}
}

func TestNewestPictureOfANameCounts(t *testing.T) {
	older, newer := attached(t, "quay.jpg", "", 300, 200), attached(t, "quay.jpg", "", 500, 200)
	f := Frame{Brought: []*Attached{newer}, Kept: []*Attached{older}}
	if f.find("quay.jpg") != newer {
		t.Error("an older picture is shown")
	}
}

func TestPicturesInBothMedia(t *testing.T) {
	wide, small := attached(t, "wide.jpg", "", 1200, 600), attached(t, "small.jpg", "", 200, 100)
	text := "Hi!\n\n![A wide one](wide.jpg)\n\n![A small one](small.jpg)\n\n<img src=\"wide.jpg\" alt=\"again\" width=\"90\">\n\n[A link](https://a.example/) - Ada\n"
	cid := func(a *Attached) string { return `src="cid:` + ContentID(a.Picture) + `"` }
	url := func(a *Attached) string { return `src="https://the.example/image/` + PictureFile(a.Picture) + `"` }
	for _, c := range []struct {
		name       string
		frame      Frame
		mail, web  func(*Attached) string
		carried    int
		textHasURL bool
	}{
		{"no site", Frame{}, cid, cid, 2, false},
		{"a site, and copies that carry them", Frame{Host: "https://the.example"}, cid, url, 2, true},
		{"a site that serves them", Frame{Host: "https://the.example", HostPictures: true}, url, url, 0, true},
		{"no site to serve them", Frame{HostPictures: true}, cid, cid, 2, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := c.frame
			f.Brought = []*Attached{wide, small}
			r := renderedWith(t, text, f)
			for _, want := range []struct {
				in   []byte
				what string
			}{
				{r.HTML, c.mail(wide)}, {r.HTML, c.mail(small)}, {r.Web, c.web(wide)}, {r.Web, c.web(small)}, {r.Feed, c.web(wide)},
				{r.HTML, `width="552"`}, {r.HTML, `width="200"`}, {r.HTML, `width="90"`}, {r.Web, `width="1200" height="600"`},
				{r.HTML, `alt="A wide one"`}, {r.Text, "[Image: A wide one]"},
			} {
				if !bytes.Contains(want.in, []byte(want.what)) {
					t.Errorf("%s is missing", want.what)
				}
			}
			if bytes.Contains(r.HTML, []byte(`wide.jpg`)) || bytes.Contains(r.Text, []byte("cid:")) {
				t.Error("the draft's own name, or a Content-ID in the text, reaches readers")
			}
			if len(r.Inline) != c.carried || bytes.Contains(r.Text, []byte("/image/")) != c.textHasURL {
				t.Errorf("%d pictures carried; text:\n%s", len(r.Inline), r.Text)
			}
			if r.Errors() > 0 || len(r.Used) != 2 {
				t.Errorf("%d used, findings %v", len(r.Used), r.Findings)
			}
			again := renderedWith(t, text, f)
			if again.Digest != r.Digest {
				t.Error("the same draft has another digest")
			}
			f.Brought = []*Attached{attached(t, "wide.jpg", "", 1200, 601), small}
			if renderedWith(t, text, f).Digest == r.Digest {
				t.Error("another picture has the same digest: an approval would let unseen bytes out")
			}
		})
	}
}

func TestHeroByAttachment(t *testing.T) {
	head := "---\ntitle: \"#12 - Quays\"\nhero-img: quay.jpg\n---\n\nHi! A [link](https://a.example/).\n"
	f := Frame{Host: "https://the.example", Brought: []*Attached{attached(t, "quay.jpg", "", 1200, 600)}}
	r := renderedWith(t, head, f)
	if got := strings.Count(string(r.HTML), `src="cid:`+ContentID(f.Brought[0].Picture)); got != 1 {
		t.Errorf("the hero is in the mail %d times:\n%s", got, r.HTML)
	}
	share := `property="og:image" content="https://the.example/image/` + PictureFile(f.Brought[0].Picture)
	if !bytes.Contains(r.Web, []byte(share)) || strings.Count(string(r.Web), "<img") != 1 || !bytes.Contains(r.Feed, []byte("<img")) {
		t.Errorf("the page does not show and share the hero:\n%s", r.Web)
	}
	// The body shows it too: nobody wants to see it twice.
	r = renderedWith(t, head+"\n![The quay](./Quay.jpg)\n", f)
	if strings.Count(string(r.HTML), "<img") != 1 || !bytes.Contains(r.Web, []byte(share)) || len(r.Inline) != 1 {
		t.Error("the hero is there twice, or is no longer shared")
	}
	r = renderedWith(t, head, Frame{})
	if got := codes(r); got != "image-missing" {
		t.Errorf("a hero that did not come: %s", got)
	}
}

// codes lists the codes of the findings that are about pictures.
func codes(r *Rendered) string {
	var all []string
	for _, f := range r.Findings {
		if strings.Contains(f.Code, "image") || strings.Contains(f.Code, "alt") || f.Code == "front-hero" {
			all = append(all, f.Code)
		}
	}
	return strings.Join(all, " ")
}

func TestWhatIsSaidOfPictures(t *testing.T) {
	broken := &Attached{Name: "phone.heic", Size: 9, File: true, Fault: &Fault{Why: "No picture.", Remedy: "Save it."}}
	heavy := attached(t, "film.gif", "", 300, 200)
	heavy.Picture.Data = make([]byte, 3_200_000)
	wide := attached(t, "film.gif", "", 300, 200)
	wide.Picture.Width, wide.Picture.Type = 1600, "image/gif"
	one := attached(t, "quay.jpg", "", 300, 200)
	for _, c := range []struct {
		name, text string
		brought    []*Attached
		want       string
	}{
		{"all is well", "![The quay](quay.jpg)", []*Attached{one}, ""},
		{"named and not there", "![The quay](quai.jpg)", nil, "image-missing"},
		{"a Content-ID that is not there", "![The quay](cid:x)", nil, "image-missing"},
		{"there and not named", "Hi", []*Attached{one}, "image-unused"},
		{"a logo of the signature", "Hi", []*Attached{attached(t, "logo.png", "logo@x", 90, 40)}, ""},
		{"nobody can read it", "![The quay](phone.heic)", []*Attached{broken}, "image-unreadable"},
		{"unreadable and not used", "Hi", []*Attached{broken}, "image-unused"},
		{"without words", "![](quay.jpg)", []*Attached{one}, "missing-alt"},
		{"the file's name for words", "![quay.jpg](quay.jpg)", []*Attached{one}, "alt-is-file-name"},
		{"too heavy", "![The film](film.gif)", []*Attached{heavy}, "image-heavy images-heavy"},
		{"too wide", "![The film](film.gif)", []*Attached{wide}, "image-wide"},
		{"a path without a site", "![The quay](/assets/quay.jpg)", nil, "relative-image"},
		{"on the web", "![The quay](https://a.example/quay.jpg)", nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := renderedWith(t, c.text+"\n\nA [link](https://a.example/) here.\n", Frame{Brought: c.brought})
			if got := codes(r); got != c.want {
				t.Errorf("%q, want %q: %v", got, c.want, r.Findings)
			}
		})
	}
	r := renderedWith(t, "![The quay](/assets/quay.jpg)\n", Frame{Host: "https://the.example"})
	if codes(r) != "" || !bytes.Contains(r.HTML, []byte(`src="https://the.example/assets/quay.jpg"`)) {
		t.Errorf("a path of the site: %s\n%s", codes(r), r.HTML)
	}
}

// The entry of a feed leads to places on the page, and has no style of its own.
func TestFeedEntry(t *testing.T) {
	text := "Hi![^1] See [below](#random).\n\n## Random\n\n[T](https://a.example/) - Ada\n\n`href=\"#x\"`\n\n<div class=\"web-only\">\n\nOn the web.\n\n</div>\n\n<div class=\"email-only\">\n\nIn the mail.\n\n</div>\n\n[^1]: A note.\n"
	r := renderedWith(t, text, Frame{Host: "https://the.example", ArchivePath: "/letters"})
	feed := string(r.Feed)
	page := `href="https://the.example/letters/0012#`
	for _, want := range []string{page + `random"`, page + `fn-1"`, page + `fnref-1"`, "On the web.", `href="#x"`, `id="random"`} {
		if !strings.Contains(feed, want) {
			t.Errorf("%s is missing in\n%s", want, feed)
		}
	}
	for _, not := range []string{"In the mail.", "<style", "style=", "<html", "Unsubscribe"} {
		if strings.Contains(feed, not) {
			t.Errorf("%s is in\n%s", not, feed)
		}
	}
}
