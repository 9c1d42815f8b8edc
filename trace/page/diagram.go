package page

import (
	"bytes"
	"cmp"
	"fmt"
	"strings"

	"lbaws/trace/figure"
	"lbaws/trace/layout"
	"lbaws/trace/picture"
)

// diagram is the diagram, cut into steps. It is drawn at the end, when it is known how wide it
// may be.
type diagram struct {
	columns layout.Columns
	tape    picture.Tape

	// When it is drawn:
	shapes  bytes.Buffer // of the steps that have ended
	bottoms []int        // where they end, in pixels
	passed  *cut         // where the segments begin that the step in hand ends with, or nil
}

// cut is a place in the step in hand: how much there is before it.
type cut struct {
	shapes, said int
	bottom       float64
}

// The widths in pixels of a diagram beside source, or in large type; of one that has the source's
// room, too; and of one for narrow windows. Its type is 12 pixels high.
const (
	besideSource = 656
	alone        = 864
	narrow       = 360
	character    = 7.2
)

func newDiagram(columns layout.Columns) *diagram {
	columns.Times = layout.NoTimes
	return &diagram{columns: columns}
}

// draw draws a row. What a SYN says of segments' sizes is in the step's headers.
func (d *diagram) draw(r *figure.Row) {
	row := *r
	row.Mss = 0
	d.tape.Draw(&row)
}

// mark notes where the segments begin that the step in hand ends with.
func (d *diagram) mark() {
	d.tape.CutOff()
	d.tape.Do(func(l *picture.Lifelines) { d.passed = here(l) })
}

// unmark notes that the step does not end with them.
func (d *diagram) unmark() { d.tape.Do(func(*picture.Lifelines) { d.passed = nil }) }

// finish ends the step in hand. What comes behind the mark begins the next one.
func (d *diagram) finish() {
	d.tape.CutOff()
	d.tape.Do(d.take)
}

// take takes the shapes of the step in hand.
func (d *diagram) take(l *picture.Lifelines) {
	end := cmp.Or(d.passed, here(l))
	d.passed = nil
	d.bottoms = append(d.bottoms, int(end.bottom))
	shapes, said := l.Shapes.String(), l.Said.String()
	fmt.Fprintf(&d.shapes, "<g data-step=\"%d\" role=\"img\">\n<title>%s</title>\n%s</g>\n",
		len(d.bottoms), picture.Escaped(strings.TrimSpace(said[:end.said])), shapes[:end.shapes])
	l.Shapes.Reset()
	l.Shapes.WriteString(shapes[end.shapes:])
	l.Said.Reset()
	l.Said.WriteString(said[end.said:])
}

// here is the end of the step in hand.
func here(l *picture.Lifelines) *cut { return &cut{l.Shapes.Len(), l.Said.Len(), l.Y} }

// text draws the diagram as an element of the page, at most width pixels wide.
func (d *diagram) text(width float64) string {
	return d.element("diagram", d.tape.Play(d.columns, width, character))
}

// largeText draws it as another one, for large type.
func (d *diagram) largeText() string {
	d.again()
	return d.element("large", d.tape.PlayBriefly(d.columns, besideSource, character))
}

// narrowText draws it as a third one, for windows that have no room for those; "" if a third
// lane needs the room.
func (d *diagram) narrowText() string {
	d.again()
	l := d.tape.PlayNarrow(d.columns, narrow, character)
	if l == nil {
		return ""
	}
	return d.element("narrow", l)
}

// again forgets what was drawn.
func (d *diagram) again() {
	d.shapes.Reset()
	d.bottoms = nil
}

// element is a diagram that was just drawn.
func (d *diagram) element(id string, l *picture.Lifelines) string {
	right, bottom := l.Right(), l.Y+picture.Margin
	return fmt.Sprintf(`<svg id="%s" viewBox="0 0 %.0f %.0f" class="diagram" width="%.0f" height="%.0f" role="group" aria-label="%s">`+"\n%s</svg>",
		id, right, bottom, right, bottom, "the diagram down to this step", d.shapes.String())
}
