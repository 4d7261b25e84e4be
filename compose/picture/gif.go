package picture

import (
	"bytes"
	"image"
	"image/gif"
)

// frames counts the frames of a GIF without unpacking them.
func frames(file []byte) int {
	n := 0
	eachFrame(file, func(int64) { n++ })
	return n
}

// framePixels is what all frames of a GIF unpack to.
func framePixels(file []byte) (pixels int64) {
	eachFrame(file, func(p int64) { pixels += p })
	return pixels
}

// eachFrame walks the blocks of a GIF (GIF89a appendix A) and tells the pixels
// of each frame. It ends where the file does, or stops being one.
func eachFrame(file []byte, tell func(pixels int64)) {
	at := 13
	if len(file) < at {
		return
	}
	at += table(file[10])
	for at < len(file) {
		switch file[at] {
		case 0x21: // an extension: its label, then blocks
			at = blocks(file, at+2)
		case 0x2c: // a frame: place, size and flags, then blocks
			if at+10 > len(file) {
				return
			}
			w, h := int64(file[at+5])|int64(file[at+6])<<8, int64(file[at+7])|int64(file[at+8])<<8
			tell(w * h)
			at = blocks(file, at+11+table(file[at+9]))
		default:
			return
		}
	}
}

// table is the size of the colour table that flags announce.
func table(flags byte) int {
	if flags&0x80 == 0 {
		return 0
	}
	return 3 << (flags&7 + 1)
}

// blocks steps over data blocks to behind the empty one that ends them.
func blocks(file []byte, at int) int {
	for at < len(file) && file[at] != 0 {
		at += 1 + int(file[at])
	}
	return at + 1
}

// moving writes a GIF of several frames anew, frame for frame: comments and the
// blocks of programs stay behind. It is not made smaller, since frames may be
// pieces of one another; a heavy one is a remark of the proof.
func moving(file []byte, config image.Config) (*Picture, error) {
	all, err := gif.DecodeAll(bytes.NewReader(file))
	if err != nil {
		return nil, broken(err)
	}
	var out bytes.Buffer
	if err := gif.EncodeAll(&out, all); err != nil {
		return nil, broken(err)
	}
	return &Picture{Data: out.Bytes(), Type: "image/gif", Width: config.Width, Height: config.Height,
		FromWidth: config.Width, FromHeight: config.Height}, nil
}
