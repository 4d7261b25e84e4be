package picture

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/draw"
)

// turn is how a camera was held: Exif 2.32 section 4.6.4, tag Orientation, 1 to
// 8; 1 is upright.
type turn int

// swaps tells whether width and height change places.
func (t turn) swaps() bool { return t >= 5 && t <= 8 }

// apply turns and mirrors img so that it is seen upright.
func (t turn) apply(img image.Image) image.Image {
	if t < 2 || t > 8 {
		return img
	}
	b := img.Bounds()
	src := image.NewRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	draw.Draw(src, src.Bounds(), img, b.Min, draw.Src)
	w, h := b.Dx(), b.Dy()
	if t.swaps() {
		w, h = h, w
	}
	dst := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range b.Dy() {
		for x := range b.Dx() {
			px, py := t.place(x, y, b.Dx(), b.Dy())
			dst.SetRGBA(px, py, src.RGBAAt(x, y))
		}
	}
	return dst
}

// place is where the pixel at x, y of a stored picture of w by h belongs. The
// tag names the edges at which the picture's first row and first column are to
// be seen.
func (t turn) place(x, y, w, h int) (int, int) {
	right, bottom := w-1-x, h-1-y
	switch t {
	case 2:
		return right, y
	case 3:
		return right, bottom
	case 4:
		return x, bottom
	case 5:
		return y, x
	case 6:
		return bottom, x
	case 7:
		return bottom, right
	case 8:
		return y, right
	}
	return x, y
}

// orientation finds the tag in a file; 1 when there is none.
func orientation(kind string, file []byte) turn {
	var exif []byte
	switch kind {
	case "image/jpeg":
		for _, s := range segments(file) {
			if rest, ok := bytes.CutPrefix(s.data, []byte("Exif\x00\x00")); ok && s.marker == 0xe1 {
				exif = rest
				break
			}
		}
	case "image/png":
		exif = chunk(file, 8, "eXIf", binary.BigEndian, true)
	case "image/webp":
		exif = chunk(file, 12, "EXIF", binary.LittleEndian, false)
		exif = bytes.TrimPrefix(exif, []byte("Exif\x00\x00")) // some writers add it
	}
	return turnIn(exif)
}

// segment is one marker segment of a JPEG.
type segment struct {
	marker byte
	data   []byte
}

// segments lists what stands before the picture itself (ITU T.81 annex B).
func segments(file []byte) []segment {
	var all []segment
	for at := 2; at+4 <= len(file) && file[at] == 0xff; {
		marker := file[at+1]
		if marker == 0xff { // a fill byte
			at++
			continue
		}
		size := int(binary.BigEndian.Uint16(file[at+2:]))
		if marker == 0xda || size < 2 || at+2+size > len(file) {
			break
		}
		all = append(all, segment{marker, file[at+4 : at+2+size]})
		at += 2 + size
	}
	return all
}

// chunk finds a named chunk of a PNG or a RIFF file. In a PNG the size stands
// before the name and a checksum behind the data; in a RIFF the name comes first
// and data is even.
func chunk(file []byte, at int, name string, order binary.ByteOrder, isPNG bool) []byte {
	for at+8 <= len(file) {
		head, size := string(file[at:at+4]), file[at+4:at+8]
		if isPNG {
			head, size = string(size), file[at:at+4]
		}
		n := int64(order.Uint32(size))
		if n > int64(len(file)-at-8) {
			return nil
		}
		data := file[at+8 : at+8+int(n)]
		if head == name {
			return data
		}
		at += 8 + int(n)
		if isPNG {
			at += 4
		} else {
			at += int(n & 1)
		}
	}
	return nil
}

// turnIn reads the tag out of the first directory of a TIFF structure. Anything
// odd means upright.
func turnIn(exif []byte) turn {
	if len(exif) < 8 {
		return 1
	}
	var order binary.ByteOrder = binary.LittleEndian
	if exif[0] == 'M' {
		order = binary.BigEndian
	}
	at := int64(order.Uint32(exif[4:]))
	if at+2 > int64(len(exif)) {
		return 1
	}
	entries := exif[at+2:]
	for range order.Uint16(exif[at:]) {
		if len(entries) < 12 {
			return 1
		}
		if order.Uint16(entries) == 0x0112 {
			if t := order.Uint16(entries[8:]); t >= 1 && t <= 8 {
				return turn(t)
			}
			return 1
		}
		entries = entries[12:]
	}
	return 1
}

// withProfile puts the colour profile of a JPEG into another: without it the
// colours of a telephone's photograph pale. A profile names colours and nobody.
func withProfile(out []byte, kind string, file []byte) []byte {
	if kind != "image/jpeg" {
		return out
	}
	var profile []byte
	for _, s := range segments(file) {
		if s.marker != 0xe2 || !bytes.HasPrefix(s.data, []byte("ICC_PROFILE\x00")) {
			continue
		}
		profile = append(profile, 0xff, s.marker)
		profile = binary.BigEndian.AppendUint16(profile, uint16(len(s.data)+2))
		profile = append(profile, s.data...)
	}
	const most = 64 << 10 // a profile for print can be larger than the picture
	if len(profile) == 0 || len(profile) > most {
		return out
	}
	return append(append(append([]byte{}, out[:2]...), profile...), out[2:]...)
}
