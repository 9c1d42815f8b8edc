package figure

import (
	"lbaws/trace/event"
	"lbaws/trace/order"
)

// Drawing is a Format that draws rows. Moments go one way: from order, which puts them
// in the order of time, to the figure, which turns them into rows, to the drawer.
type Drawing struct {
	order  order.Order
	figure Figure
	Drawer Drawer
}

// Drawer draws rows.
type Drawer interface {
	// Draw appends a row, which it leaves as it is.
	Draw(b []byte, r *Row) []byte
	// End appends what comes after the last row.
	End(b []byte) []byte
}

// NewDrawing returns a drawing. about is what its figure is to know of the run.
func NewDrawing(about About, d Drawer) *Drawing { return &Drawing{figure: New(about), Drawer: d} }

// DrawsFigures says that the format draws figures, and not one line after the other.
func (*Drawing) DrawsFigures() {}

// Append draws what a moment shows.
func (d *Drawing) Append(b []byte, m *event.Moment) []byte {
	moments := d.order.Take(m)
	for i := range moments {
		rows := d.figure.Take(&moments[i])
		for j := range rows {
			b = d.Drawer.Draw(b, &rows[j])
		}
	}
	if m.What == event.Ended {
		return d.Drawer.End(b)
	}
	return b
}
