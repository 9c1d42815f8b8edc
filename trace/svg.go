package trace

import (
	_ "embed"
	"encoding/xml"
	"fmt"
	"strings"
)

// SVG draws the diagram as a picture that is written when the program leaves: two
// lifelines, beside them the calls and the states, and from one to the other the
// segments. It stands alone: it has its own style for light and for dark pages, and
// refers to nothing outside. Whatever a client sent is in it as printable text, escaped.
//
// Source: UNP figures 4.1 and 2.5; SVG 1.1.
type SVG struct {
	drawing
}

// NewSVG returns an SVG, as wide as a page of text.
func NewSVG(columns Columns) *SVG {
	const width, character, mostRows = 850, 7.8, 1000
	return &SVG{newDrawing(columns.About, &picture{lifelines: newLifelines(columns, width, character), most: mostRows})}
}

// newConnection returns an SVG of one connection. What the kernel's sockets hold is in
// other pictures.
func newConnection(columns Columns) *SVG {
	s := NewSVG(columns)
	s.drawer.(*picture).callsOnly = true
	return s
}

// picture is a whole picture of rows.
type picture struct {
	*lifelines
	most      int  // how many rows it has: a server may run for long
	rows      int  // how many came
	callsOnly bool // whether what the kernel's sockets hold is left out
}

// draw draws a row, and appends nothing: the picture is written at the end.
func (p *picture) draw(b []byte, r *row) []byte {
	if p.callsOnly && r.kind == socketRow {
		return b
	}
	if p.rows++; p.rows <= p.most {
		p.lifelines.draw(r)
	}
	return b
}

// end appends the whole picture.
func (p *picture) end(b []byte) []byte {
	p.cutOff()
	if left := p.rows - p.most; left > 0 {
		p.line(rowHeight, fmt.Sprintf("and %d more rows", left))
		p.put(p.left(Server), p.y-5, "note", fmt.Sprintf("# and %d more rows", left))
	}
	for _, text := range p.legend {
		p.y += rowHeight + margin/2
		p.put(margin, p.y-5, "note", "# "+text)
		p.said.WriteString("# " + text + "\n")
	}
	width, height := p.right(), p.y+margin
	return appendPicture(b, width, height, "The system calls of a TCP connection, and the segments between them",
		p.said.String(), p.shapes.String())
}

func escaped(text string) string {
	var b strings.Builder
	xml.EscapeText(&b, []byte(text)) // a Builder's Write does not fail
	return b.String()
}

// appendPicture appends an SVG of a width and height in pixels. said is its text
// for a screen reader.
func appendPicture(b []byte, width, height float64, title, said, shapes string) []byte {
	return fmt.Appendf(b, svgText, width, height, width, height, escaped(title), escaped(said), svgStyle, width, height, shapes)
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

//go:embed page/picture.css
var svgStyle string
