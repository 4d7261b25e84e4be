package picture

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"

	"golang.org/x/image/webp"
)

// The limits of one picture.
const (
	MaxBytes  = 25 << 20   // octets of the file, as mail allows them
	MaxPixels = 50_000_000 // of the file, all frames of a GIF together; half of that at 16 bits a colour
	// MaxWidth is twice the column of the looks: sharp on every screen.
	MaxWidth = 1400
	// MaxHeight keeps a long drawing from growing without end.
	MaxHeight = 4 * MaxWidth
)

// quality is what JPEG encoders call 85: no difference is seen at the size of a
// mail, and the file is a third of what cameras write.
const quality = 85

// Picture is a picture fit for mail.
type Picture struct {
	Data          []byte
	Type          string // image/jpeg, image/png or image/gif
	Width, Height int    // pixels, as shown
	// FromWidth and FromHeight are the file's own, turned as it is shown.
	FromWidth, FromHeight int
	Digest                string // SHA-256 of Data in hex
}

// Extension is the usual end of the file's name, with its dot.
func (p *Picture) Extension() string {
	return map[string]string{"image/jpeg": ".jpg", "image/png": ".png", "image/gif": ".gif"}[p.Type]
}

// Unreadable says why a file cannot be shown, and what helps.
// Its sentences stand in the catalogue of the mails, behind "picture-".
type Unreadable struct {
	Name string
	Gaps []any
}

// Error names the reason.
func (u *Unreadable) Error() string { return fmt.Sprintf("picture: %s %v", u.Name, u.Gaps) }

// Fit reads a file and makes it fit for mail. Its error is an *Unreadable.
func Fit(file []byte) (*Picture, error) {
	if len(file) > MaxBytes {
		return nil, &Unreadable{"heavy", []any{len(file) >> 20, MaxBytes >> 20, MaxWidth}}
	}
	kind := kindOf(file)
	config, err := measure(kind, file)
	if err != nil {
		return nil, err
	}
	var p *Picture
	switch {
	case kind == "image/gif" && frames(file) > 1:
		p, err = moving(file, config)
	default:
		p, err = still(kind, file)
	}
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(p.Data)
	p.Digest = hex.EncodeToString(sum[:])
	return p, nil
}

// kindOf tells a picture by its first octets: names and declared types lie.
func kindOf(file []byte) string {
	begins := func(s string) bool { return bytes.HasPrefix(file, []byte(s)) }
	switch {
	case begins("\xff\xd8\xff"):
		return "image/jpeg"
	case begins("\x89PNG\r\n\x1a\n"):
		return "image/png"
	case begins("GIF87a"), begins("GIF89a"):
		return "image/gif"
	case begins("RIFF") && len(file) > 12 && string(file[8:12]) == "WEBP":
		return "image/webp"
	}
	return ""
}

// measure tells how large a file unpacks, without unpacking it.
func measure(kind string, file []byte) (image.Config, error) {
	read := map[string]func(*bytes.Reader) (image.Config, error){
		"image/jpeg": func(r *bytes.Reader) (image.Config, error) { return jpeg.DecodeConfig(r) },
		"image/png":  func(r *bytes.Reader) (image.Config, error) { return png.DecodeConfig(r) },
		"image/gif":  func(r *bytes.Reader) (image.Config, error) { return gif.DecodeConfig(r) },
		"image/webp": func(r *bytes.Reader) (image.Config, error) { return webp.DecodeConfig(r) },
	}[kind]
	if read == nil {
		return image.Config{}, &Unreadable{"kind", nil}
	}
	config, err := read(bytes.NewReader(file))
	if err != nil {
		return config, broken(err)
	}
	pixels := int64(config.Width) * int64(config.Height)
	if kind == "image/gif" {
		pixels = max(pixels, framePixels(file))
	}
	most := int64(MaxPixels)
	if m := config.ColorModel; m == color.RGBA64Model || m == color.NRGBA64Model {
		most /= 2
	}
	if pixels > most {
		return config, &Unreadable{"pixels", []any{pixels / 1e6, most / 1e6, MaxWidth}}
	}
	if pixels <= 0 {
		return config, &Unreadable{"empty", nil}
	}
	return config, nil
}

func broken(err error) error {
	return &Unreadable{"broken", []any{err.Error()}}
}

// still decodes a picture, makes it smaller where it is too large, turns it as
// it is to be seen, and writes it anew.
func still(kind string, file []byte) (*Picture, error) {
	src, err := decode(kind, file)
	if err != nil {
		return nil, broken(err)
	}
	turn := orientation(kind, file)
	width, height := src.Bounds().Dx(), src.Bounds().Dy()
	if turn.swaps() {
		width, height = height, width
	}
	w, h := fitted(width, height)
	p := &Picture{Width: w, Height: h, FromWidth: width, FromHeight: height}
	out := src
	if w != width || h != height {
		if turn.swaps() {
			w, h = h, w
		}
		out = shrink(src, w, h)
	}
	if err := p.encode(turn.apply(out), kind != "image/jpeg"); err != nil {
		return nil, broken(err)
	}
	switch src.(type) {
	case *image.YCbCr, *image.RGBA: // the profiles of grey and of print do not fit what was written
		p.Data = withProfile(p.Data, kind, file)
	}
	return p, nil
}

func decode(kind string, file []byte) (image.Image, error) {
	r := bytes.NewReader(file)
	switch kind {
	case "image/jpeg":
		return jpeg.Decode(r)
	case "image/png":
		return png.Decode(r)
	case "image/gif":
		return gif.Decode(r)
	}
	return webp.Decode(r)
}

// fitted is the size within the limits, of the same shape.
func fitted(w, h int) (int, int) {
	if w > MaxWidth {
		h = max(1, int((int64(h)*MaxWidth+int64(w)/2)/int64(w)))
		w = MaxWidth
	}
	if h > MaxHeight {
		w = max(1, int((int64(w)*MaxHeight+int64(h)/2)/int64(h)))
		h = MaxHeight
	}
	return w, h
}

// encode writes a photograph as JPEG and a drawing as PNG. Which it is, the
// sizes tell: a PNG of flat colours is small, one of a photograph is not.
func (p *Picture) encode(img image.Image, mayDraw bool) error {
	var photo, drawing bytes.Buffer
	if o, ok := img.(interface{ Opaque() bool }); !ok || o.Opaque() {
		if err := jpeg.Encode(&photo, img, &jpeg.Options{Quality: quality}); err != nil {
			return err
		}
	}
	if mayDraw {
		if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&drawing, img); err != nil {
			return err
		}
	}
	if photo.Len() > 0 && (!mayDraw || photo.Len() < drawing.Len()/2) {
		p.Type, p.Data = "image/jpeg", photo.Bytes()
		return nil
	}
	p.Type, p.Data = "image/png", drawing.Bytes()
	return nil
}
