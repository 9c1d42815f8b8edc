package picture_test

import (
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"lbaws/trace/tracetest"
)

// area is a rectangle, or the one around a piece of a line.
type area struct {
	x1, y1, x2, y2 float64
	what           string
}

// near reports whether two areas are less than so many pixels apart.
func (a area) near(b area, apart float64) bool {
	return a.x1-apart < b.x2 && b.x1-apart < a.x2 && a.y1-apart < b.y2 && b.y1-apart < a.y2
}

func (a area) inside(b area) bool {
	return a.x1 > b.x1 && a.y1 > b.y1 && a.x2 < b.x2 && a.y2 < b.y2
}

var (
	boxShape  = regexp.MustCompile(`<rect class="box" x="([^"]*)" y="([^"]*)" width="([^"]*)" height="([^"]*)"`)
	pathShape = regexp.MustCompile(`<polyline class="[^"]*" points="([^"]*)"`)
)

// TestSheets: in the tutorial's pictures, no two boxes touch, no text is on another one, on a
// line, or on the border of a box, and each has room in the picture.
func TestSheets(t *testing.T) {
	tracetest.Long(t)
	tracetest.NeedCapture(t)
	dir, early := t.TempDir(), t.TempDir()
	tracetest.Launch(t, nil, "demo", "-addr", "127.0.0.1:8888", "-pictures", dir, "-trace=off").Succeed()
	tracetest.Launch(t, nil, "demo", "-addr", "127.0.0.1:8888", "-order", "early-client", "-pictures", early, "-trace=off").Succeed()
	names := []string{early + "/kernel.svg"}
	for _, name := range []string{"model", "url", "procedure", "request", "response", "states", "kernel"} {
		names = append(names, filepath.Join(dir, name+".svg"))
	}
	for _, name := range names {
		svg := tracetest.ReadFile(t, name)
		texts, boxes, lines, sheet := areas(t, svg)
		if len(texts) < 5 {
			t.Errorf("%s has %d texts", name, len(texts))
		}
		check := func(wrong bool, a area, is string, b area) {
			if wrong {
				t.Errorf("%s: %q at %.0f, %.0f %s %s at %.0f, %.0f", filepath.Base(name), a.what, a.x1, a.y1, is, b.what, b.x1, b.y1)
			}
		}
		for i, a := range texts {
			check(!a.inside(sheet), a, "is outside of", sheet)
			for _, b := range texts[i+1:] {
				check(a.near(b, 0), a, "is on", b)
			}
			for _, b := range lines {
				check(crosses(a, b), a, "is on", b)
			}
			for _, b := range boxes {
				check(a.near(b, 1) && !a.inside(b), a, "is on the border of", b)
			}
		}
		for i, a := range boxes {
			for _, b := range boxes[i+1:] {
				check(a.near(b, 8) && !a.inside(b) && !b.inside(a), a, "touches", b)
			}
		}
	}
}

// areas returns the texts, the boxes, and the pieces of lines of a picture, and its own area.
func areas(t *testing.T, svg string) (texts, boxes, lines []area, sheet area) {
	t.Helper()
	number := func(s string) float64 {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	words, strokes, width, height := shapes(t, svg)
	for _, s := range words {
		texts = append(texts, area{s.x, s.y - 10, s.x2, s.y + 3, s.text})
	}
	for _, s := range strokes {
		lines = append(lines, area{s.x, s.y, s.x2, s.y2, "a line"})
	}
	for _, m := range boxShape.FindAllStringSubmatch(svg, -1) {
		x, y := number(m[1]), number(m[2])
		boxes = append(boxes, area{x, y, x + number(m[3]), y + number(m[4]), "a box"})
	}
	for _, m := range pathShape.FindAllStringSubmatch(svg, -1) {
		var last []string
		for _, point := range strings.Fields(m[1]) {
			at := strings.Split(point, ",")
			if last != nil {
				lines = append(lines, area{number(last[0]), number(last[1]), number(at[0]), number(at[1]), "a line"})
			}
			last = at
		}
	}
	return texts, boxes, lines, area{0, 0, width, height, "the picture"}
}

// crosses reports whether a line comes into an area, or within two pixels of it.
func crosses(a, line area) bool {
	const pieces, apart = 400, 2
	for i := range pieces + 1 {
		part := float64(i) / pieces
		x, y := line.x1+(line.x2-line.x1)*part, line.y1+(line.y2-line.y1)*part
		if x > a.x1-apart && x < a.x2+apart && y > a.y1-apart && y < a.y2+apart {
			return true
		}
	}
	return false
}
