// Package picture draws rows as an SVG, and the tutorial's pictures.
package picture

import (
	_ "embed"
	"encoding/xml"
	"fmt"
	"strings"

	"lbaws/trace/event"
	"lbaws/trace/figure"
	"lbaws/trace/layout"
)

// SVG draws the diagram as a picture that is written when the program leaves: two
// lifelines, beside them the calls and the states, and from one to the other the
// segments. It stands alone: it has its own style for light and for dark pages, and
// refers to nothing outside. Whatever a client sent is in it as printable text, escaped.
//
// Source: UNP figures 4.1 and 2.5; SVG 1.1.
type SVG struct {
	figure.Drawing
}

// NewSVG returns an SVG, as wide as a page of text.
func NewSVG(columns layout.Columns) *SVG {
	const width, character, mostRows = 850, 7.8, 1000
	return &SVG{figure.NewDrawing(columns.About, &picture{Lifelines: NewLifelines(columns, width, character), most: mostRows})}
}

// newConnection returns an SVG of one connection. What the kernel's sockets hold is in
// other pictures.
func newConnection(columns layout.Columns) *SVG {
	s := NewSVG(columns)
	s.Drawer.(*picture).callsOnly = true
	return s
}

// picture is a whole picture of rows.
type picture struct {
	*Lifelines
	most      int  // how many rows it has: a server may run for long
	rows      int  // how many came
	callsOnly bool // whether what the kernel's sockets hold is left out
}

// Draw draws a row, and appends nothing: the picture is written at the end.
func (p *picture) Draw(b []byte, r *figure.Row) []byte {
	if p.callsOnly && r.Kind == figure.SocketRow {
		return b
	}
	if p.rows++; p.rows <= p.most {
		p.Lifelines.Draw(r)
	}
	return b
}

// End appends the whole picture.
func (p *picture) End(b []byte) []byte {
	p.CutOff()
	if left := p.rows - p.most; left > 0 {
		p.line(rowHeight, fmt.Sprintf("and %d more rows", left))
		p.put(p.left(event.Server), p.Y-5, "note", fmt.Sprintf("# and %d more rows", left))
	}
	for _, text := range p.legend {
		p.Y += rowHeight + Margin/2
		p.put(Margin, p.Y-5, "note", "# "+text)
		p.Said.WriteString("# " + text + "\n")
	}
	width, height := p.Right(), p.Y+Margin
	return appendPicture(b, width, height, "The system calls of a TCP connection, and the segments between them",
		p.Said.String(), p.Shapes.String())
}

func Escaped(text string) string {
	var b strings.Builder
	xml.EscapeText(&b, []byte(text)) // a Builder's Write does not fail
	return b.String()
}

// appendPicture appends an SVG of a width and height in pixels. said is its text
// for a screen reader.
func appendPicture(b []byte, width, height float64, title, said, shapes string) []byte {
	return fmt.Appendf(b, svgText, width, height, width, height, Escaped(title), Escaped(said), Style, width, height, shapes)
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
