package picture

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"strconv"
)

// The size at which a chart is shown, in CSS pixels. It is drawn twice as
// large, for screens with small pixels.
const (
	ChartWidth  = 560
	ChartHeight = 150
	density     = 2
)

// Column is one issue in a chart.
type Column struct {
	Label             string // "#" and digits: the chart has no other letters
	Whole, Part, Lost int    // readers; copies taken; copies that failed
}

// The colours stand out from white and from nearly black alike, at 3:1 or
// more (WCAG 2.2, 1.4.11), since the picture is transparent and nobody knows
// on which of them it lies.
var (
	chartLine  = color.NRGBA{0x3d, 0x84, 0xc6, 0xff}
	chartArea  = color.NRGBA{0x3d, 0x84, 0xc6, 0x40}
	chartTaken = color.NRGBA{0x2c, 0x94, 0x68, 0xff}
	chartLost  = color.NRGBA{0xd4, 0x6a, 0x22, 0xff}
	chartWords = color.NRGBA{0x7d, 0x80, 0x84, 0xff}
)

// The margins of a panel, in drawn pixels, and between the two.
const (
	panelGap    = 48
	panelTop    = 44
	panelBottom = 40
	stroke      = 6
	letterScale = 3
)

// Chart draws how a list and its deliveries went from issue to issue, the
// oldest first: on the left the readers, as a line whose height shows the
// change; on the right the copies that were taken, from nothing upwards, and
// on top of them those that failed. The same columns give the same bytes.
func Chart(columns []Column) ([]byte, error) {
	img := image.NewNRGBA(image.Rect(0, 0, ChartWidth*density, ChartHeight*density))
	half := (img.Rect.Dx() - panelGap) / 2
	if len(columns) > 0 {
		growth(img, image.Rect(0, panelTop, half, img.Rect.Dy()-panelBottom), columns)
		bars(img, image.Rect(half+panelGap, panelTop, img.Rect.Dx(), img.Rect.Dy()-panelBottom), columns)
	}
	var b bytes.Buffer
	enc := png.Encoder{CompressionLevel: png.BestCompression}
	err := enc.Encode(&b, img)
	return b.Bytes(), err
}

// growth draws the readers as stairs, each as wide as the bar beside it.
func growth(img *image.NRGBA, r image.Rectangle, columns []Column) {
	low, high := columns[0].Whole, columns[0].Whole
	for _, c := range columns {
		low, high = min(low, c.Whole), max(high, c.Whole)
	}
	floor := r.Max.Y - r.Dy()/5 // the lowest step is no empty list
	height := func(n int) int {
		if high == low {
			return (r.Min.Y + floor) / 2
		}
		return floor - (floor-r.Min.Y)*(n-low)/(high-low)
	}
	before := height(columns[0].Whole)
	for k, c := range columns {
		left, right, y := r.Min.X+r.Dx()*k/len(columns), r.Min.X+r.Dx()*(k+1)/len(columns), height(c.Whole)
		fill(img, image.Rect(left, y, right, r.Max.Y), chartArea)
		fill(img, image.Rect(left, y, right, y+stroke), chartLine)
		fill(img, image.Rect(left, min(y, before), left+stroke, max(y, before)+stroke), chartLine)
		before = y
	}
	first, last := columns[0], columns[len(columns)-1]
	write(img, strconv.Itoa(first.Whole), r.Min.X+stroke, height(first.Whole)+stroke+8, chartWords) // under its step, where no other is
	number := strconv.Itoa(last.Whole)
	write(img, number, r.Max.X-span(number), height(last.Whole)-8-7*letterScale, chartWords)
	foot(img, r, columns)
}

// bars draws the copies of each issue.
func bars(img *image.NRGBA, r image.Rectangle, columns []Column) {
	most := 1
	for _, c := range columns {
		most = max(most, c.Part+c.Lost)
	}
	for k, c := range columns {
		left, right := r.Min.X+r.Dx()*k/len(columns), r.Min.X+r.Dx()*(k+1)/len(columns)
		gap := (right - left) / 8
		taken, lost := r.Dy()*c.Part/most, r.Dy()*c.Lost/most
		if c.Lost > 0 {
			lost = max(lost, stroke) // one of ten thousand is seen, too
		}
		top := r.Max.Y - taken
		fill(img, image.Rect(left+gap, top, right-gap, r.Max.Y), chartTaken)
		fill(img, image.Rect(left+gap, top-lost, right-gap, top), chartLost)
		if k == len(columns)-1 {
			number := strconv.Itoa(c.Part)
			write(img, number, r.Max.X-span(number), top-lost-8-7*letterScale, chartWords)
		}
	}
	foot(img, r, columns)
}

// foot draws the ground that a panel stands on, with the first and the last
// label under it.
func foot(img *image.NRGBA, r image.Rectangle, columns []Column) {
	fill(img, image.Rect(r.Min.X, r.Max.Y, r.Max.X, r.Max.Y+2), chartWords)
	write(img, columns[0].Label, r.Min.X, r.Max.Y+12, chartWords)
	if label := columns[len(columns)-1].Label; len(columns) > 1 {
		write(img, label, r.Max.X-span(label), r.Max.Y+12, chartWords)
	}
}

func fill(img *image.NRGBA, r image.Rectangle, c color.NRGBA) {
	draw.Draw(img, r, image.NewUniform(c), image.Point{}, draw.Over)
}

// letters are the digits and #, five points wide and seven high; the highest
// of the five bits of a row is its leftmost point.
var letters = map[rune][7]byte{
	'0': {14, 17, 19, 21, 25, 17, 14},
	'1': {4, 12, 4, 4, 4, 4, 14},
	'2': {14, 17, 1, 2, 4, 8, 31},
	'3': {31, 2, 4, 2, 1, 17, 14},
	'4': {2, 6, 10, 18, 31, 2, 2},
	'5': {31, 16, 30, 1, 1, 17, 14},
	'6': {6, 8, 16, 30, 17, 17, 14},
	'7': {31, 1, 2, 4, 8, 8, 8},
	'8': {14, 17, 17, 14, 17, 17, 14},
	'9': {14, 17, 17, 15, 1, 2, 12},
	'#': {10, 10, 31, 10, 31, 10, 10},
}

// span is how wide a word is when it is drawn.
func span(word string) int { return max(6*len(word)-1, 0) * letterScale }

// write draws a word with its upper left corner at x, y.
func write(img *image.NRGBA, word string, x, y int, c color.NRGBA) {
	for _, letter := range word {
		for row, bits := range letters[letter] {
			for column := range 5 {
				if bits>>(4-column)&1 == 1 {
					p := image.Pt(x+column*letterScale, y+row*letterScale)
					fill(img, image.Rectangle{Min: p, Max: p.Add(image.Pt(letterScale, letterScale))}, c)
				}
			}
		}
		x += 6 * letterScale
	}
}
