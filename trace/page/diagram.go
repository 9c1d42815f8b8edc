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

// diagrams are the same diagram in several widths. Which one the page has is known at the end,
// when it is known whether there is source to stand beside it.
type diagrams []*diagram

// diagram is the diagram, cut into steps.
type diagram struct {
	lifelines *picture.Lifelines
	shapes    bytes.Buffer // of the steps that have ended
	bottoms   []int        // where they end, in pixels
	passed    *cut         // where the segments begin that the step in hand ends with, or nil
}

// cut is a place in the step in hand: how much there is before it.
type cut struct {
	shapes, said int
	bottom       float64
}

// The widths in pixels of a diagram beside source, and of one that has its room too.
const (
	besideSource = 612
	alone        = 864
)

func newDiagram(columns layout.Columns, width float64) *diagram {
	const character = 7.2
	columns.Times = layout.NoTimes
	return &diagram{lifelines: picture.NewLifelines(columns, width, character)}
}

func (ds diagrams) draw(r *figure.Row) {
	for _, d := range ds {
		d.lifelines.Draw(r)
	}
}

// mark notes where the segments begin that the step in hand ends with.
func (ds diagrams) mark() {
	for _, d := range ds {
		d.lifelines.CutOff()
		d.passed = d.here()
	}
}

// unmark notes that the step does not end with them.
func (ds diagrams) unmark() {
	for _, d := range ds {
		d.passed = nil
	}
}

// finish ends the step in hand. What comes behind the mark begins the next one.
func (ds diagrams) finish() {
	for _, d := range ds {
		d.finish()
	}
}

func (d *diagram) finish() {
	l := d.lifelines
	l.CutOff()
	end := cmp.Or(d.passed, d.here())
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
func (d *diagram) here() *cut {
	return &cut{d.lifelines.Shapes.Len(), d.lifelines.Said.Len(), d.lifelines.Y}
}

// text is the diagram as an element of the page.
func (d *diagram) text() string {
	right, bottom := d.lifelines.Right(), d.lifelines.Y+picture.Margin
	return fmt.Sprintf(`<svg id="diagram" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f" role="group" aria-label="%s">`+"\n%s</svg>",
		right, bottom, right, bottom, "the diagram down to this step", d.shapes.String())
}
