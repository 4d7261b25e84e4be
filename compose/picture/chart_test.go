package picture

import (
	"bytes"
	"flag"
	"image"
	"image/png"
	"math"
	"os"
	"testing"
)

var drawTo = flag.String("chart", "", "a file to draw the test's chart into, to be looked at")

// decoded draws a chart and reads it back.
func decoded(t *testing.T, columns []Column) image.Image {
	t.Helper()
	data, err := Chart(columns)
	if err != nil {
		t.Fatal(err)
	}
	if len(data) > 8<<10 {
		t.Errorf("the chart has %d octets", len(data))
	}
	if *drawTo != "" {
		if err := os.WriteFile(*drawTo, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// columnOf counts the points of one colour in a column of the picture.
func columnOf(img image.Image, x int, c [3]uint8) (n int) {
	for y := range img.Bounds().Dy() {
		r, g, b, a := img.At(x, y).RGBA()
		if [3]uint8{uint8(r >> 8), uint8(g >> 8), uint8(b >> 8)} == c && a == 0xffff {
			n++
		}
	}
	return n
}

func TestChartBarsAreTheFigures(t *testing.T) {
	columns := []Column{{"#1", 1000, 1000, 0}, {"#2", 1000, 500, 500}, {"#3", 1000, 250, 1}, {"#4", 2000, 0, 0}}
	img := decoded(t, columns)
	half := (ChartWidth*density - panelGap) / 2
	high := ChartHeight*density - panelTop - panelBottom
	taken, lost := [3]uint8{chartTaken.R, chartTaken.G, chartTaken.B}, [3]uint8{chartLost.R, chartLost.G, chartLost.B}
	for k, c := range columns {
		x := half + panelGap + half*(2*k+1)/(2*len(columns))
		wantLost := high * c.Lost / 1000
		if c.Lost > 0 {
			wantLost = max(wantLost, stroke)
		}
		if a, b := columnOf(img, x, taken), columnOf(img, x, lost); a != high*c.Part/1000 || b != wantLost {
			t.Errorf("%s: %d and %d points high", c.Label, a, b)
		}
	}
}

// A chart of nothing, of one issue and of a huge list is drawn all the same.
func TestChartAtTheEdges(t *testing.T) {
	for _, columns := range [][]Column{nil, {{}}, {{"#1", 0, 0, 0}, {"#2", 0, 0, 0}}, {{"#999999", 5_000_000, 4_999_999, 1}, {"#1000000", 5_000_000, 1, 4_999_999}}} {
		if b := decoded(t, columns).Bounds(); b.Dx() != ChartWidth*density || b.Dy() != ChartHeight*density {
			t.Errorf("%v is %v", columns, b)
		}
	}
}

func TestChartIsSeenOnLightAndDark(t *testing.T) {
	light := func(r, g, b uint8) float64 {
		part := func(v uint8) float64 {
			if s := float64(v) / 255; s > 0.04045 {
				return math.Pow((s+0.055)/1.055, 2.4)
			}
			return float64(v) / 255 / 12.92
		}
		return 0.2126*part(r) + 0.7152*part(g) + 0.0722*part(b)
	}
	white, dark := light(255, 255, 255), light(0x18, 0x1b, 0x1e)
	for name, c := range map[string][3]uint8{"line": {chartLine.R, chartLine.G, chartLine.B}, "taken": {chartTaken.R, chartTaken.G, chartTaken.B},
		"lost": {chartLost.R, chartLost.G, chartLost.B}, "words": {chartWords.R, chartWords.G, chartWords.B}} {
		l := light(c[0], c[1], c[2])
		if a, b := (white+0.05)/(l+0.05), (l+0.05)/(dark+0.05); a < 3 || b < 3 {
			t.Errorf("%s: %.2f on white, %.2f on dark", name, a, b)
		}
	}
	img := decoded(t, []Column{{"#118", 1540, 1538, 2}, {"#119", 1551, 1549, 2}, {"#120", 1549, 1548, 1}, {"#121", 1560, 1551, 9}, {"#122", 1575, 1574, 1},
		{"#123", 1580, 1571, 9}, {"#124", 1580, 1200, 380}, {"#125", 1588, 1588, 0}, {"#126", 1590, 1588, 2}, {"#127", 1597, 1590, 7}, {"#128", 1597, 1597, 0}, {"#129", 1604, 1601, 3}})
	if _, _, _, a := img.At(img.Bounds().Dx()/2, 2).RGBA(); a != 0 {
		t.Error("the ground is not transparent")
	}
}
