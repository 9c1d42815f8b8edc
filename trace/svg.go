package trace

import (
	"encoding/xml"
	"fmt"
	"strings"
	"unicode/utf8"
)

// SVG draws the same diagram as Diagram, as a picture that is written when the
// program leaves. It stands alone: it has its own style for light and for dark
// pages, and refers to nothing outside. Whatever a client sent is in it as
// printable text, escaped.
//
// Source: UNP figures 4.1 and 2.5; SVG 1.1.
type SVG struct {
	drawing
}

// NewSVG returns an SVG.
func NewSVG(columns Columns) *SVG {
	c := &canvas{layout: layout{width: 120, limit: columns.Limit}, clock: clock{times: columns.Times}}
	return &SVG{newDrawing(columns, c)}
}

// canvas collects rows. Positions are in characters of the layout and are turned
// into pixels when they are drawn.
type canvas struct {
	layout                 // of what is right of the times
	clock  clock           // writes the times
	time   string          // of the row in hand, until it is drawn
	shapes strings.Builder // the rows that are complete
	said   strings.Builder // the same for a screen reader
	y      float64         // below the last row
	rows   int
	left   int // rows that were left out

	open  int    // the call that the last row begins; 0 if there is none
	side  Side   // whose call that is
	begun []byte // what is there of it
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

// draw draws a row, and appends nothing: the picture is written at the end.
func (c *canvas) draw(b []byte, r *row) []byte {
	if c.open != 0 && r.kind == returnRow && r.call == c.open && (c.clock.times == NoTimes || r.remark == "") {
		if whole, fits := c.join(c.begun, c.column(r.side)+characters(c.begun), r); fits {
			c.open = 0
			c.call(r, whole, "")
			return b
		}
	}
	c.cutOff()
	c.time = string(c.clock.read(r))
	switch r.kind {
	case headRow:
		c.head()
	case beginRow:
		c.open, c.side = r.call, r.side
		c.begun, _ = c.fit(c.begun[:0], r.side, &r.text, 1)
	case returnRow, callRow:
		text, _ := c.fit(nil, r.side, &r.text, 0)
		c.call(r, text, r.remark)
	case noteRow:
		c.note(r)
	case partsRow:
		c.parts(r)
	case arrowRow:
		c.arrow(r)
	case socketRow:
		c.socket(r)
	case ruleRow:
		c.rule(string(r.text.before))
	}
	return b
}

// cutOff draws the beginning of a call that has another row after it.
func (c *canvas) cutOff() {
	if c.open != 0 {
		c.open = 0
		c.call(&row{side: c.side}, append(c.begun, "…"...), "")
	}
}

// row makes room for another row, and reports whether there is any.
func (c *canvas) row(height float64, said string) bool {
	if c.rows == maxRows {
		c.left++
		return false
	}
	c.rows++
	c.y += height
	if c.time != "" {
		said = c.time + ": " + said
		c.text(-1-len(c.time), "call", c.time)
		c.time = ""
	}
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

func (c *canvas) x(column int) float64 {
	return margin + float64(c.clock.column()+column)*characterWidth
}

func escaped(text string) string {
	var b strings.Builder
	xml.EscapeText(&b, []byte(text)) // a Builder's Write does not fail
	return b.String()
}

var sideNames = [2]string{Client: "client", Server: "server"}

// class is the class of a row's shapes, with "error" where something has gone
// wrong.
func (r *row) class(name string) string {
	if r.failed || r.warning {
		return name + " error"
	}
	return name
}

func (c *canvas) head() {
	if c.row(rowHeight, "client and server, time running down") {
		c.text(0, "state", "CLIENT")
		c.text(c.serverColumn(), "state", "SERVER")
	}
}

// call draws the text of a call, and a remark behind it.
func (c *canvas) call(r *row, text []byte, remark string) {
	if !c.row(rowHeight, sideNames[r.side]+": "+string(text)+" "+remark) {
		return
	}
	taken := characters(text)
	column := c.columnFor(r.side, taken, 0)
	c.text(column, r.class("call"), string(text))
	c.text(column+taken+3, "workedout", remark)
}

func (c *canvas) note(r *row) {
	for _, line := range c.wrapped(r.side, string(r.text.before)) {
		if c.row(rowHeight, "# "+line) {
			c.text(c.column(r.side), r.class("note"), "# "+line)
		}
	}
}

func (c *canvas) socket(r *row) {
	for i, line := range c.wrapped(r.side, string(r.text.before)) {
		line = [2]string{heldMark + " ", "  "}[min(i, 1)] + line
		if c.row(rowHeight, sideNames[r.side]+"'s kernel: "+line) {
			c.text(c.column(r.side), "held", line)
		}
	}
}

func (c *canvas) parts(r *row) {
	column, parts := c.place(r.side, r.parts)
	said := ""
	for _, p := range parts {
		said += p.name + " " + string(p.text) + "; "
	}
	if !c.row(rowHeight, said) {
		return
	}
	for _, p := range parts {
		c.text(p.column, "part", string(p.text))
	}
	c.y += rowHeight
	for _, p := range parts {
		c.text(p.column, "note", p.name)
	}
	bar := c.x(column) + characterWidth/2
	fmt.Fprintf(&c.shapes, `<line class="bar" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`+"\n", bar, c.y-2*rowHeight, bar, c.y)
}

func (c *canvas) arrow(r *row) {
	class, said := r.class("seen"), "segment"
	if r.implied {
		class, said = r.class("implied"), "implied"
	}
	label := string(r.text.before)
	if !c.row(arrowHeight, fmt.Sprintf("%s, %s to %s: %s", said, sideNames[r.side], sideNames[peerOf(r.side)], label)) {
		return
	}
	right := c.arrowRight(r.text.before)
	x1, x2 := c.x(arrowLeft), c.x(right)
	tip, back := x2, x2-9
	if r.side == Server {
		tip, back = x1, x1+9
	}
	y := c.y - 5
	fmt.Fprintf(&c.shapes, `<line class="%s" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`+"\n", class, x1, y, x2, y)
	fmt.Fprintf(&c.shapes, `<polygon class="%s" points="%.1f,%.1f %.1f,%.1f %.1f,%.1f"/>`+"\n", class, tip, y, back, y-4.5, back, y+4.5)
	c.state(0, r, Client)
	c.state(right+1, r, Server)
	c.y -= 5
	c.text(arrowLeft+2, class, label)
	c.y += 5
}

// state draws the new state of one side. One that the kernel gave is marked.
func (c *canvas) state(column int, r *row, side Side) {
	switch state := string(r.states[side]); {
	case state == "":
	case r.asked[side]:
		c.text(column, "state", heldMark+state)
	default:
		c.text(column, "workedout", state)
	}
}

func (c *canvas) rule(text string) {
	if !c.row(arrowHeight, text) {
		return
	}
	fmt.Fprintf(&c.shapes, `<line class="rule" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`+"\n",
		c.x(0), c.y-rowHeight, c.x(c.width), c.y-rowHeight)
	c.text(0, "note", text)
}

// end appends the whole picture.
func (c *canvas) end(b []byte) []byte {
	c.cutOff()
	if c.left > 0 {
		c.y += rowHeight
		c.text(0, "note", fmt.Sprintf("# and %d more rows", c.left))
	}
	width, height := c.x(c.width)+margin, c.y+margin
	return appendPicture(b, width, height, "The system calls of a TCP connection, and the segments between them",
		c.said.String(), c.shapes.String())
}

// appendPicture appends an SVG of a width and height in pixels. said is its text
// for a screen reader.
func appendPicture(b []byte, width, height float64, title, said, shapes string) []byte {
	return fmt.Appendf(b, picture, width, height, width, height, escaped(title), escaped(said), width, height, shapes)
}

const picture = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f"
 role="img" aria-labelledby="title desc">
<title id="title">%s</title>
<desc id="desc">%s</desc>
<style>
svg { --page: #ffffff; --ink: #1f2328; --dim: #59636e; --wire: #0550ae; --error: #cf222e; }
@media (prefers-color-scheme: dark) { svg { --page: #0d1117; --ink: #f0f6fc; --dim: #9198a1; --wire: #79c0ff; --error: #ff7b72; } }
text { font: 13px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: var(--ink); white-space: pre; }
.note { fill: var(--dim); }
.state, .held { font-weight: bold; }
.workedout { fill: var(--dim); }
text.seen { fill: var(--wire); }
text.implied { fill: var(--dim); font-style: italic; }
line.seen { stroke: var(--wire); stroke-width: 1.5; }
line.implied { stroke: var(--dim); stroke-dasharray: 3 4; }
polygon.seen { fill: var(--wire); }
polygon.implied { fill: var(--page); stroke: var(--dim); }
.rule, .bar { stroke: var(--dim); }
.box { fill: none; stroke: var(--ink); }
text.error { fill: var(--error); font-weight: bold; }
line.error, polygon.error { stroke: var(--error); }
polygon.error.seen { fill: var(--error); }
</style>
<rect width="%.0f" height="%.0f" fill="var(--page)"/>
%s</svg>
`
