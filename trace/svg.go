package trace

import (
	"encoding/xml"
	"fmt"
	"strings"
	"unicode/utf8"

	"lbaws/trace/message"
)

// SVG draws the same diagram as Diagram, as a picture that is written when the
// program leaves. It stands alone: it has its own style for light and for dark
// pages, and refers to nothing outside. Whatever a client sent is in it as
// printable text, escaped.
//
// Source: UNP figures 4.1 and 2.5; SVG 1.1.
type SVG struct {
	figure
	canvas *canvas
}

// NewSVG returns an SVG.
func NewSVG(columns Columns) *SVG {
	c := &canvas{layout: screen{width: 120}}
	return &SVG{figure: figure{Columns: columns, drawer: c}, canvas: c}
}

// AppendEnd draws what is left and writes the picture.
func (s *SVG) AppendEnd(b []byte) []byte {
	b = s.figure.AppendEnd(b)
	return s.canvas.appendPicture(b)
}

// canvas collects rows. Positions are in characters of the screen's layout and
// are turned into pixels when they are drawn.
type canvas struct {
	layout  screen
	shapes  strings.Builder // the rows that are complete
	said    strings.Builder // the same for one who listens
	y       float64         // below the last row
	waiting []byte          // the text of the row that a call began
	side    Side            // whose call that is
	rows    int
	left    int // rows that were left out
}

// Sizes in pixels.
const (
	characterWidth = 7.8
	rowHeight      = 19.0
	arrowHeight    = 30.0
	margin         = 16.0
)

// maxRows is how many rows a picture has at most: a server may run for long.
const maxRows = 1000

func (c *canvas) room(side Side) int { return c.layout.room(side) }

func (c *canvas) whole() int { return c.layout.whole() }

// row makes room for another row, and reports whether there is any.
func (c *canvas) row(height float64, said string) bool {
	if c.rows == maxRows {
		c.left++
		return false
	}
	c.rows++
	c.y += height
	c.said.WriteString(said)
	c.said.WriteByte('\n')
	return true
}

// text draws a text that begins at a character's column on the last row. Its
// length is given too, so that it fits whatever font there is.
func (c *canvas) text(column int, class, text string) {
	n := utf8.RuneCountInString(text)
	if n == 0 {
		return
	}
	fmt.Fprintf(&c.shapes, `<text class="%s" x="%.1f" y="%.1f" textLength="%.1f" lengthAdjust="spacingAndGlyphs">%s</text>`+"\n",
		class, c.x(column), c.y-5, float64(n)*characterWidth, escaped(text))
}

func (c *canvas) x(column int) float64 { return margin + float64(column)*characterWidth }

func escaped(text string) string {
	var b strings.Builder
	xml.EscapeText(&b, []byte(text)) // a Builder's Write does not fail
	return b.String()
}

var sideNames = map[Side]string{Client: "client", Server: "server"}

func (c *canvas) begin(b []byte, side Side, text []byte) []byte {
	c.waiting, c.side = append(c.waiting[:0], text...), side
	return b
}

func (c *canvas) rest(b []byte, side Side, text []byte) []byte {
	return c.call(b, side, append(c.waiting, text...), "")
}

func (c *canvas) cutOff(b []byte) []byte {
	return c.call(b, c.side, append(c.waiting, "…"...), "")
}

func (c *canvas) call(b []byte, side Side, text []byte, remark string) []byte {
	if !c.row(rowHeight, sideNames[side]+": "+string(text)+" "+remark) {
		return b
	}
	column := c.layout.columnFor(side, text)
	c.text(column, "call", string(text))
	c.text(column+characters(text)+3, "state", remark)
	return b
}

func (c *canvas) note(b []byte, side Side, text string) []byte {
	for _, line := range c.layout.wrapped(side, text) {
		if c.row(rowHeight, "# "+line) {
			c.text(c.layout.columnOf(side), "note", "# "+line)
		}
	}
	return b
}

func (c *canvas) parts(b []byte, side Side, parts []message.Part) []byte {
	texts, columns := c.layout.columnsOf(side, parts)
	said := ""
	for i, p := range parts {
		said += p.Name + " " + string(texts[i]) + "; "
	}
	if !c.row(rowHeight, said) {
		return b
	}
	c.y += rowHeight
	bar := c.x(c.layout.columnOf(side)) + characterWidth/2
	fmt.Fprintf(&c.shapes, `<line class="bar" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`+"\n", bar, c.y-2*rowHeight, bar, c.y)
	for i, p := range parts {
		c.text(columns[i], "note", p.Name)
	}
	c.y -= rowHeight
	for i := range parts {
		c.text(columns[i], "part", string(texts[i]))
	}
	c.y += rowHeight
	return b
}

func (c *canvas) arrow(b []byte, a *arrow) []byte {
	class, said := "seen", "segment"
	if a.implied {
		class, said = "implied", "implied"
	}
	from, to := "server", "client"
	if a.fromClient {
		from, to = to, from
	}
	if !c.row(arrowHeight, fmt.Sprintf("%s, %s to %s: %s", said, from, to, a.label)) {
		return b
	}
	left, right := c.x(arrowLeft), c.x(c.layout.arrowRight(a.label))
	y := c.y - 5
	tip, back := right, right-9
	if !a.fromClient {
		tip, back = left, left+9
	}
	fmt.Fprintf(&c.shapes, `<line class="%s" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`+"\n", class, left, y, right, y)
	fmt.Fprintf(&c.shapes, `<polygon class="%s" points="%.1f,%.1f %.1f,%.1f %.1f,%.1f"/>`+"\n", class, tip, y, back, y-4.5, back, y+4.5)
	y = c.y
	c.text(0, "state", string(a.client))
	c.text(c.layout.arrowRight(a.label)+1, "state", string(a.server))
	c.y -= 5
	c.text(arrowLeft+2, class, string(a.label))
	c.y = y
	return b
}

func (c *canvas) rule(b, text []byte) []byte {
	if !c.row(arrowHeight, string(text)) {
		return b
	}
	fmt.Fprintf(&c.shapes, `<line class="rule" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`+"\n",
		margin, c.y-rowHeight, c.x(c.layout.width), c.y-rowHeight)
	c.text(0, "note", string(text))
	return b
}

func (c *canvas) head(b []byte) []byte {
	if c.row(rowHeight, "client and server, time running down") {
		c.text(0, "state", "CLIENT")
		c.text(c.layout.serverColumn(), "state", "SERVER")
	}
	return b
}

// appendPicture appends the whole picture.
func (c *canvas) appendPicture(b []byte) []byte {
	if c.left > 0 {
		c.y += rowHeight
		c.text(0, "note", fmt.Sprintf("# and %d rows more", c.left))
	}
	width, height := c.x(c.layout.width)+margin, c.y+margin
	return appendPicture(b, width, height, "The system calls of a TCP connection, and the segments between them",
		c.said.String(), c.shapes.String())
}

// appendPicture appends an SVG of a width and height in pixels. said is its text
// for one who listens.
func appendPicture(b []byte, width, height float64, title, said, shapes string) []byte {
	return fmt.Appendf(b, picture, width, height, width, height, escaped(title), escaped(said), width, height, shapes)
}

const picture = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f"
 role="img" aria-labelledby="title desc">
<title id="title">%s</title>
<desc id="desc">%s</desc>
<style>
svg { --page: #ffffff; --ink: #1f2328; --dim: #59636e; --wire: #0550ae; }
@media (prefers-color-scheme: dark) { svg { --page: #0d1117; --ink: #f0f6fc; --dim: #9198a1; --wire: #79c0ff; } }
text { font: 13px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: var(--ink); white-space: pre; }
.note { fill: var(--dim); }
.state { font-weight: bold; }
text.seen { fill: var(--wire); }
text.implied { fill: var(--dim); font-style: italic; }
line.seen { stroke: var(--wire); stroke-width: 1.5; }
line.implied { stroke: var(--dim); stroke-dasharray: 3 4; }
polygon.seen { fill: var(--wire); }
polygon.implied { fill: var(--page); stroke: var(--dim); }
.rule, .bar { stroke: var(--dim); }
.box { fill: none; stroke: var(--ink); }
</style>
<rect width="%.0f" height="%.0f" fill="var(--page)"/>
%s</svg>
`
