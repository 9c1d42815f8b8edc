package picture

import (
	"bytes"
	"fmt"
	"math"
	"strings"

	"lbaws/trace/layout"
	"lbaws/trace/message"
)

// sheet is a picture in the making. Positions are in pixels.
type sheet struct {
	shapes
	title         string
	width, height float64
	below         float64 // where the next lines begin
}

// reach makes the sheet so large that the point is on it.
func (s *sheet) reach(x, y float64) { s.width, s.height = max(s.width, x), max(s.height, y) }

// text draws a text whose line stands on y.
func (s *sheet) text(x, y float64, class, text string) {
	s.put(x, y, class, text)
	s.Said.WriteString(text + "\n")
	s.reach(x+s.length(text), y)
}

// box draws a box with lines of text in its middle; the first one is its name.
func (s *sheet) box(x, y, width, height float64, lines ...string) {
	s.frame(x, y, width, height)
	top := y + height/2 - float64(len(lines)-1)*rowHeight/2 + 4
	for i, line := range lines {
		class := "note"
		if i == 0 {
			class = "state"
		}
		s.text(x+(width-s.length(line))/2, top+float64(i)*rowHeight, class, line)
	}
}

// frame draws an empty box.
func (s *sheet) frame(x, y, width, height float64) {
	fmt.Fprintf(&s.Shapes, `<rect class="box" x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="4"/>`+"\n", x, y, width, height)
	s.reach(x+width, y+height)
}

func (s *sheet) line(x1, y1, x2, y2 float64) {
	s.stroke("seen", x1, y1, x2, y2)
	s.reach(max(x1, x2), max(y1, y2))
}

// arrow draws an arrow, level or upright, with a label above its middle.
func (s *sheet) arrow(x1, y1, x2, y2 float64, label string) {
	s.line(x1, y1, x2, y2)
	switch {
	case x1 == x2:
		s.head("seen", x2, y2, x2-headHalf, y2-headLength, x2+headHalf, y2-headLength)
	case x1 < x2:
		s.head("seen", x2, y2, x2-headLength, y2-headHalf, x2-headLength, y2+headHalf)
	default:
		s.head("seen", x2, y2, x2+headLength, y2-headHalf, x2+headLength, y2+headHalf)
	}
	if label != "" {
		s.text((x1+x2-s.length(label))/2, y1-6, "seen", label)
	}
}

// path draws an arrow through points, with a head at the last one.
func (s *sheet) path(class string, points []spot) {
	var text strings.Builder
	for _, p := range points {
		fmt.Fprintf(&text, "%.1f,%.1f ", p.x, p.y)
		s.reach(p.x, p.y)
	}
	fmt.Fprintf(&s.Shapes, `<polyline class="%s" points="%s"/>`+"\n", class, strings.TrimSpace(text.String()))
	end, before := points[len(points)-1], points[len(points)-2]
	length := math.Hypot(end.x-before.x, end.y-before.y)
	x, y := (end.x-before.x)/length, (end.y-before.y)/length
	backX, backY := end.x-headLength*x, end.y-headLength*y
	s.head(class, end.x, end.y, backX+headHalf*y, backY-headHalf*x, backX-headHalf*y, backY+headHalf*x)
}

// besides is how far the parts of a line are from each other.
const besides = 10

// anatomy draws the parts of a first line side by side, each in a box with its name below,
// and the line's end.
func (s *sheet) anatomy(title string, parts [3]message.Part) {
	s.title = title
	x := 20.0
	for _, p := range append(parts[:], message.Part{Text: []byte("\r\n")}) {
		x = s.part(x, p) + besides
	}
	s.below = 110
}

// part draws a part with its name below, in a box if it has a name, and returns
// where it ends.
func (s *sheet) part(x float64, p message.Part) float64 {
	text := string(layout.AppendPrintable(nil, p.Text))
	width := max(s.length(text), s.length(p.Name)) + 24
	if p.Name == "" {
		s.text(x+12, 44, "state", text)
		return x + width
	}
	s.box(x, 20, width, 40, text)
	s.text(x+(width-s.length(p.Name))/2, 82, "note", p.Name)
	return x + width
}

// lines draws the lines of a text below what is there, and what they are.
func (s *sheet) lines(text []byte, name string) {
	for line := range bytes.Lines(text) {
		s.text(32, s.below, "call", string(layout.AppendPrintable(nil, line)))
		s.below += rowHeight
	}
	s.text(32, s.below, "note", name)
	s.below += rowHeight + 10
}

// appendTo appends the whole picture.
func (s *sheet) appendTo(b []byte) []byte {
	return s.shapes.appendTo(b, s.width+20, s.height+20, s.title)
}
