package picture

import (
	"image"
	"image/draw"
)

// shrink averages src down to w by h pixels: each new pixel is the mean of the
// area that it covers, which is how browsers make pictures smaller. It reads one
// line at a time, so that a photograph needs no second copy of itself in
// memory; the kernels of x/image/draw hold 32 octets a pixel.
func shrink(src image.Image, w, h int) *image.RGBA {
	b := src.Bounds()
	dst := image.NewRGBA(image.Rect(0, 0, w, h))
	line := image.NewRGBA(image.Rect(0, 0, b.Dx(), 1))
	sums := make([]float64, 4*w)
	part := make([]float64, 4*w)
	area := float64(b.Dx()) / float64(w) * float64(b.Dy()) / float64(h)
	scale := float64(b.Dy()) / float64(h)
	y := 0
	for row := range b.Dy() {
		draw.Draw(line, line.Bounds(), src, image.Pt(b.Min.X, b.Min.Y+row), draw.Src)
		narrow(line.Pix, b.Dx(), part, w)
		top, bottom := float64(row), float64(row+1)
		for y < h {
			end := float64(y+1) * scale
			add(sums, part, min(bottom, end)-max(top, float64(y)*scale))
			if end > bottom+1e-9 && row < b.Dy()-1 {
				break
			}
			store(dst.Pix[y*dst.Stride:], sums, area)
			y++
		}
	}
	return dst
}

// narrow sums the pixels of one line over the widths of the new ones.
func narrow(pix []byte, from int, part []float64, w int) {
	clear(part)
	scale := float64(from) / float64(w)
	for x := range w {
		left, right := float64(x)*scale, float64(x+1)*scale
		for i := int(left); i < from && float64(i) < right-1e-9; i++ {
			share := min(right, float64(i+1)) - max(left, float64(i))
			for c := range 4 {
				part[4*x+c] += share * float64(pix[4*i+c])
			}
		}
	}
}

func add(sums, part []float64, share float64) {
	if share <= 0 {
		return
	}
	for i, v := range part {
		sums[i] += share * v
	}
}

func store(pix []byte, sums []float64, area float64) {
	for i, v := range sums {
		pix[i] = byte(min(255, v/area+0.5))
	}
	clear(sums)
}
