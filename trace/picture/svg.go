// Package picture draws rows as an SVG, and the tutorial's pictures.
package picture

import (
	_ "embed"
	"encoding/xml"
	"fmt"
	"strings"
	"unicode/utf8"

	"lbaws/trace/figure"
	"lbaws/trace/layout"
)

// NewSVG returns a format that draws the diagram as a picture that is written when the program leaves: two
// lifelines, beside them the calls and the states, and from one to the other the
// segments. It stands alone: it has its own style for light and for dark pages, and
// refers to nothing outside. Whatever a client sent is in it as printable text, escaped.
//
// Source: UNP figures 4.1 and 2.5; SVG 1.1.
func NewSVG(columns layout.Columns) *figure.Drawing {
	return figure.NewDrawing(columns.About, layout.From(columns.From, &picture{columns: columns}))
}

// mostRows is how many rows a picture has: a server may run for long.
const mostRows = 1000

// picture is a whole picture of rows.
type picture struct {
	columns   layout.Columns
	tape      Tape
	rows      int  // how many came
	callsOnly bool // whether what the kernel's sockets hold is left out
}

// Draw draws a row, and appends nothing: the picture is written at the end.
func (p *picture) Draw(b []byte, r *figure.Row) []byte {
	if p.callsOnly && (r.Kind == figure.SocketRow || r.Held) {
		return b
	}
	if p.rows++; p.rows <= mostRows {
		p.tape.Draw(r)
	}
	return b
}

// End appends the whole picture.
func (p *picture) End(b []byte) []byte {
	const width = 850 // that of a page of text
	p.tape.CutOff()
	l := p.tape.Play(p.columns, width, characterWidth)
	if left := p.rows - mostRows; left > 0 {
		l.line(rowHeight, fmt.Sprintf("and %d more rows", left))
		l.beside(figure.Right, l.Y-5, "note", fmt.Sprintf("# and %d more rows", left))
	}
	for _, text := range l.legend {
		l.Y += rowHeight + Margin/2
		l.put(Margin, l.Y-5, "note", "# "+text)
		l.Said.WriteString("# " + text + "\n")
		l.reach = max(l.reach, Margin+l.length("# "+text))
	}
	return l.appendTo(b, l.Right(), l.Y+Margin, "The system calls of a TCP connection, and the segments between them")
}

// shapes are the shapes of an SVG in the making. Positions are in pixels.
type shapes struct {
	unit   float64 // how wide a character is
	Shapes strings.Builder
	Said   strings.Builder // the same for a screen reader
}

// characterWidth is how wide a character is in a picture that stands alone.
const characterWidth = 7.8

// The size of an arrow's head: how long it is, and half of how wide.
const headLength, headHalf = 9.0, 4.5

// length is how long a text is.
func (s *shapes) length(text string) float64 { return float64(utf8.RuneCountInString(text)) * s.unit }

// put draws a text that begins at x and stands on y. Its length is given too, so that
// it fits whatever font there is.
func (s *shapes) put(x, y float64, class, text string) {
	if text != "" {
		fmt.Fprintf(&s.Shapes, `<text class="%s" x="%.1f" y="%.1f" textLength="%.1f" lengthAdjust="spacingAndGlyphs">%s</text>`+"\n",
			class, x, y, s.length(text), Escaped(text))
	}
}

// stroke draws a line.
func (s *shapes) stroke(class string, x1, y1, x2, y2 float64) {
	fmt.Fprintf(&s.Shapes, `<line class="%s" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`+"\n", class, x1, y1, x2, y2)
}

// head draws an arrow's head: its point and its two other corners.
func (s *shapes) head(class string, x1, y1, x2, y2, x3, y3 float64) {
	fmt.Fprintf(&s.Shapes, `<polygon class="%s" points="%.1f,%.1f %.1f,%.1f %.1f,%.1f"/>`+"\n", class, x1, y1, x2, y2, x3, y3)
}

// cross draws what stands where a segment ends on the way.
func (s *shapes) cross(class string, x, y float64) {
	fmt.Fprintf(&s.Shapes, `<path class="%s" d="M%.1f,%.1fl%.1f,%.1fm0,%.1fl%.1f,%.1f"/>`+"\n",
		class, x-headHalf, y-headHalf, 2*headHalf, 2*headHalf, -2*headHalf, -2*headHalf, 2*headHalf)
}

// appendTo appends the whole SVG.
func (s *shapes) appendTo(b []byte, width, height float64, title string) []byte {
	return fmt.Appendf(b, svgText, width, height, width, height, Escaped(title), Escaped(s.Said.String()), Style, width, height, s.Shapes.String())
}

// Escaped returns a text as it stands in an SVG or a page.
func Escaped(text string) string {
	var b strings.Builder
	xml.EscapeText(&b, []byte(text)) // a Builder's Write does not fail
	return b.String()
}

const svgText = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f"
 role="img" aria-labelledby="title desc">
<title id="title">%s</title>
<desc id="desc">%s</desc>
<style>
%s</style>
<rect width="%.0f" height="%.0f" fill="var(--page)"/>
%s</svg>
`

//go:embed picture.css
var Style string
