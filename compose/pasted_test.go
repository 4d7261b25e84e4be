package compose

import "testing"

// TestPlaced checks that what a mail program writes for a picture becomes the
// picture, and that the author's own brackets stay.
func TestPlaced(t *testing.T) {
	f := Frame{Brought: []*Attached{attached(t, "quay wall.jpg", "part1.7@mail.example", 400, 200)}}
	for _, c := range []struct{ in, want string }{
		{"One\n[image: quay wall.jpg]\nTwo", "One\n![](<quay wall.jpg>)\nTwo"},
		{"[Image:Quay_Wall.JPG]", "![](<Quay_Wall.JPG>)"},
		{"[cid:part1.7@mail.example] and [cid:part1.7@mail.example]", "![](<cid:part1.7@mail.example>) and ![](<cid:part1.7@mail.example>)"},
		{"[image: another.jpg]", "[image: another.jpg]"},
		{"[image: quay wall.jpg](https://a.example/)", "[image: quay wall.jpg](https://a.example/)"},
		{"![cid:part1.7@mail.example](cid:part1.7@mail.example)", "![cid:part1.7@mail.example](cid:part1.7@mail.example)"},
		{"[image: quay wall.jpg]: https://a.example/", "[image: quay wall.jpg]: https://a.example/"},
		{"an [image] of it", "an [image] of it"},
	} {
		if got := string(f.placed([]byte(c.in))); got != c.want {
			t.Errorf("%q: got %q, want %q", c.in, got, c.want)
		}
	}
	if got := string((&Frame{}).placed([]byte("[image: quay wall.jpg]"))); got != "[image: quay wall.jpg]" {
		t.Errorf("without a picture: %q", got)
	}
	f.Looks = harbour().Looks
	r := mustRender(t, []byte("---\ntitle: x\n---\n\nHi!\n\n[image: quay wall.jpg]\n"), f)
	if len(r.Inline) != 1 || len(r.Used) != 1 {
		t.Errorf("%d pictures in the mail, %d used", len(r.Inline), len(r.Used))
	}
}
