package picture

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"
)

// scene is a picture whose four corners differ, so that every turn shows.
func scene(w, h int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	corner := map[[2]bool]color.RGBA{{false, false}: {255, 0, 0, 255}, {true, false}: {0, 255, 0, 255}, {false, true}: {0, 0, 255, 255}, {true, true}: {255, 255, 255, 255}}
	for y := range h {
		for x := range w {
			img.SetRGBA(x, y, corner[[2]bool{x >= w/2, y >= h/2}])
		}
	}
	return img
}

// grain makes a picture of which a PNG is large, as it is of photographs.
func grain(img *image.RGBA) *image.RGBA {
	n := uint32(1)
	for i := range img.Pix {
		n = n*1664525 + 1013904223
		if i%4 != 3 {
			img.Pix[i] = byte(int(img.Pix[i])*7/8 + int(n>>28))
		}
	}
	return img
}

func asJPEG(t testing.TB, img image.Image, between ...[]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	file := b.Bytes()
	return append(append(append([]byte{}, file[:2]...), bytes.Join(between, nil)...), file[2:]...)
}

func asPNG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func marker(m byte, data string) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{0xff, m}, uint16(len(data)+2)), data...)
}

// exif is a directory with an orientation and a place where the picture was taken.
func exif(order binary.AppendByteOrder, mark string, turn uint16) string {
	b := order.AppendUint32(order.AppendUint16([]byte(mark), 42), 8)
	b = order.AppendUint16(b, 2)
	b = order.AppendUint32(order.AppendUint16(order.AppendUint16(b, 0x010f), 2), 20) // Make
	b = order.AppendUint32(b, 38)
	b = order.AppendUint32(order.AppendUint16(order.AppendUint16(b, 0x0112), 3), 1)
	b = order.AppendUint16(order.AppendUint16(b, turn), 0)
	b = order.AppendUint32(b, 0)
	return string(b) + "GPS 53.5503 N 9.9920"
}

func fit(t *testing.T, file []byte) (*Picture, image.Image) {
	t.Helper()
	p, err := Fit(file)
	if err != nil {
		t.Fatal(err)
	}
	img, kind, err := image.Decode(bytes.NewReader(p.Data))
	if err != nil || "image/"+kind != p.Type {
		t.Fatalf("%v: %s is said to be %s", err, kind, p.Type)
	}
	if b := img.Bounds(); b.Dx() != p.Width || b.Dy() != p.Height {
		t.Fatalf("%v is said to be %d by %d", b, p.Width, p.Height)
	}
	return p, img
}

func TestEveryTurnIsUndone(t *testing.T) {
	// The scene has red, green, blue and white corners. The stored pixels are
	// those that a camera writes for a turn; seen, all are the same.
	upright := scene(120, 80)
	for n := turn(1); n <= 8; n++ {
		w, h := 120, 80
		if n.swaps() {
			w, h = h, w
		}
		stored := image.NewRGBA(image.Rect(0, 0, w, h))
		for y := range h {
			for x := range w {
				px, py := n.place(x, y, w, h)
				stored.SetRGBA(x, y, upright.RGBAAt(px, py))
			}
		}
		for _, order := range []struct {
			binary.AppendByteOrder
			mark string
		}{{binary.LittleEndian, "II"}, {binary.BigEndian, "MM"}} {
			p, img := fit(t, asJPEG(t, stored, marker(0xe1, "Exif\x00\x00"+exif(order.AppendByteOrder, order.mark, uint16(n)))))
			if p.Width != 120 || p.Height != 80 {
				t.Errorf("turn %d: %d by %d", n, p.Width, p.Height)
				continue
			}
			for _, at := range []image.Point{{10, 10}, {110, 10}, {10, 70}, {110, 70}} {
				if !near(img.At(at.X, at.Y), upright.At(at.X, at.Y), 12) {
					t.Errorf("turn %d, %s: at %v %v, want %v", n, order.mark, at, img.At(at.X, at.Y), upright.At(at.X, at.Y))
				}
			}
		}
	}
	// The two turns of a telephone, from the text of the standard and not from
	// the code: 6 has the first row at the right, 8 at the left.
	for n, want := range map[turn][2]int{6: {79, 0}, 8: {0, 119}} {
		if x, y := n.place(0, 0, 120, 80); [2]int{x, y} != want {
			t.Errorf("turn %d puts the first pixel at %d, %d", n, x, y)
		}
	}
}

func near(a, b color.Color, off int) bool {
	ar, ag, ab, _ := a.RGBA()
	br, bg, bb, _ := b.RGBA()
	for _, d := range []int{int(ar) - int(br), int(ag) - int(bg), int(ab) - int(bb)} {
		if max(d, -d)>>8 > off {
			return false
		}
	}
	return true
}

func TestNothingOfTheFileButThePicture(t *testing.T) {
	img := grain(scene(300, 200))
	secret := "GPS 53.5503 N 9.9920"
	profile := "ICC_PROFILE\x00\x01\x01" + strings.Repeat("colours ", 20)
	photo := asJPEG(t, img, marker(0xe1, "Exif\x00\x00"+exif(binary.LittleEndian, "II", 1)), marker(0xe2, profile), marker(0xfe, secret), marker(0xed, "Photoshop 3.0\x00"+secret))
	text := append(asPNG(t, img)[:33], chunkPNG("tEXt", "Comment\x00"+secret)...)
	text = append(text, asPNG(t, img)[33:]...)
	var b bytes.Buffer
	gifImage := &gif.GIF{Image: []*image.Paletted{paletted(40, 30, 1), paletted(40, 30, 2)}, Delay: []int{5, 5}}
	if err := gif.EncodeAll(&b, gifImage); err != nil {
		t.Fatal(err)
	}
	moving := b.Bytes()
	comment := append([]byte{0x21, 0xfe, byte(len(secret))}, secret+"\x00"...)
	moving = append(append(append([]byte{}, moving[:len(moving)-1]...), comment...), 0x3b)
	for name, file := range map[string][]byte{"photo": photo, "text": text, "moving": moving} {
		if !bytes.Contains(file, []byte("53.5503")) {
			t.Fatalf("%s: the file does not hold the place", name)
		}
		p, _ := fit(t, file)
		if bytes.Contains(p.Data, []byte("53.5503")) || bytes.Contains(p.Data, []byte("Exif")) {
			t.Errorf("%s: the place is in the picture that goes out", name)
		}
		if has := bytes.Contains(p.Data, []byte("ICC_PROFILE")); has != (name == "photo") {
			t.Errorf("%s: colour profile kept: %v", name, has)
		}
		if again, err := Fit(file); err != nil || again.Digest != p.Digest {
			t.Errorf("%s: the same file gave %v, then %v (%v)", name, p.Digest, again.Digest, err)
		}
	}
	if p, _ := fit(t, moving); p.Type != "image/gif" || frames(p.Data) != 2 {
		t.Errorf("the moving picture became %s with %d frames", p.Type, frames(p.Data))
	}
}

func paletted(w, h int, index uint8) *image.Paletted {
	img := image.NewPaletted(image.Rect(0, 0, w, h), color.Palette{color.Black, color.White, color.RGBA{200, 0, 0, 255}})
	for i := range img.Pix {
		img.Pix[i] = index
	}
	return img
}

func chunkPNG(name, data string) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	b = append(b, name+data...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE([]byte(name+data)))
}

func TestSizeAndKind(t *testing.T) {
	half := image.NewNRGBA(image.Rect(0, 0, 200, 100))
	for i := range half.Pix {
		half.Pix[i] = 128
	}
	large, tall := image.Pt(4032, 3024), image.Pt(1500, 9000)
	if raceDetector {
		large, tall = image.Pt(1600, 1200), image.Pt(1000, 6000)
	}
	for _, c := range []struct {
		name          string
		file          []byte
		kind          string
		width, height int
	}{
		{"a telephone's photograph", asJPEG(t, grain(scene(large.X, large.Y))), "image/jpeg", 1400, 1050},
		{"one that fits", asJPEG(t, grain(scene(640, 480))), "image/jpeg", 640, 480},
		{"a drawing", asPNG(t, scene(1000, 600)), "image/png", 1000, 600},
		{"a wide drawing", asPNG(t, scene(2800, 600)), "image/png", 1400, 300},
		{"a photograph saved as PNG", asPNG(t, grain(scene(800, 600))), "image/jpeg", 800, 600},
		{"glass", asPNG(t, half), "image/png", 200, 100},
		{"a long one", asPNG(t, scene(tall.X, tall.Y)), "image/png", 933, 5600},
		{"one pixel high", asPNG(t, scene(5000, 1)), "image/png", 1400, 1},
		{"WebP", webpDot, "image/png", 1, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, img := fit(t, c.file)
			if p.Type != c.kind || p.Width != c.width || p.Height != c.height {
				t.Errorf("%s, %d by %d; want %s, %d by %d", p.Type, p.Width, p.Height, c.kind, c.width, c.height)
			}
			if o, ok := img.(interface{ Opaque() bool }); c.name == "glass" && ok && o.Opaque() {
				t.Error("what can be seen through is no longer so")
			}
			if len(p.Digest) != 64 {
				t.Errorf("digest %q", p.Digest)
			}
		})
	}
}

// webpDot is the smallest lossless WebP: one pixel.
var webpDot = []byte("RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00")

func TestShrinkingIsTheMean(t *testing.T) {
	// Black and white columns by turns become grey, at whole and broken ratios.
	for _, from := range []int{200, 250, 333} {
		img := image.NewGray(image.Rect(0, 0, from, from))
		for i := range img.Pix {
			img.Pix[i] = byte(255 * (i % from % 2))
		}
		out := shrink(img, 50, 50)
		for i, v := range out.Pix {
			if i%4 == 3 && v != 255 {
				t.Fatalf("from %d: alpha %d", from, v)
			}
			if i%4 != 3 && (v < 100 || v > 155) {
				t.Fatalf("from %d: at %d %d", from, i, v)
			}
		}
	}
	flat := image.NewGray(image.Rect(3, 5, 1003, 705)) // an origin elsewhere, and one colour
	for i := range flat.Pix {
		flat.Pix[i] = 77
	}
	for i, v := range shrink(flat, 141, 99).Pix {
		if i%4 != 3 && v != 77 {
			t.Fatalf("at %d %d, want 77", i, v)
		}
	}
}

func TestWhatIsNoPictureIsSaidSo(t *testing.T) {
	// A PNG of 30,000 by 30,000 pixels in a few octets.
	var empty bytes.Buffer
	z := zlib.NewWriter(&empty)
	z.Close()
	head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, 30000), 30000)
	bomb := append([]byte("\x89PNG\r\n\x1a\n"), chunkPNG("IHDR", string(head)+"\x08\x02\x00\x00\x00")...)
	bomb = append(append(bomb, chunkPNG("IDAT", empty.String())...), chunkPNG("IEND", "")...)
	// A GIF of 900 frames of 1,000 by 1,000 pixels.
	var b bytes.Buffer
	if err := gif.Encode(&b, paletted(1000, 1000, 1), nil); err != nil {
		t.Fatal(err)
	}
	file := b.Bytes()
	start := 13 + table(file[10])
	frame := file[start : len(file)-1]
	many := append(append(append([]byte{}, file[:start]...), bytes.Repeat(frame, 900)...), 0x3b)
	photo := asJPEG(t, scene(200, 200))
	for _, c := range []struct{ name, file, why string }{
		{"a bomb", string(bomb), "pixels [900 "},
		{"a long film", string(many), "pixels [900 "},
		{"a drawing for browsers", "<svg xmlns='http://www.w3.org/2000/svg'/>", "kind"},
		{"a telephone's newest", "\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "kind"},
		{"nothing", "", "kind"},
		{"cut short", string(photo[:len(photo)/2]), "broken"},
		{"too heavy", string(photo) + strings.Repeat("x", MaxBytes), "heavy [25 25 "},
	} {
		_, err := Fit([]byte(c.file))
		var u *Unreadable
		if !errors.As(err, &u) || !strings.HasPrefix(u.Error(), "picture: "+c.why) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func FuzzFit(f *testing.F) {
	f.Add(webpDot)
	f.Add(asPNG(f, scene(9, 7)))
	f.Add(asJPEG(f, scene(16, 8), marker(0xe1, "Exif\x00\x00"+exif(binary.BigEndian, "MM", 6))))
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, &gif.GIF{Image: []*image.Paletted{paletted(4, 3, 1), paletted(4, 3, 2)}, Delay: []int{1, 1}}); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, file []byte) {
		if c, _, err := image.DecodeConfig(bytes.NewReader(file)); err == nil && c.Width*c.Height > 1<<20 {
			return // large ones have a test of their own
		}
		p, err := Fit(file)
		var u *Unreadable
		if err != nil && !errors.As(err, &u) {
			t.Fatal(err)
		}
		if err == nil {
			if _, _, err := image.Decode(bytes.NewReader(p.Data)); err != nil || p.Width > MaxWidth && p.Type != "image/gif" {
				t.Fatalf("%v: %s", err, fmt.Sprint(p.Width, p.Height))
			}
		}
	})
}
