package trace

// drawing is a Format that draws rows. Moments go one way: from order, which puts them
// in the order of time, to the figure, which turns them into rows, to the drawer.
type drawing struct {
	order  order
	figure figure
	drawer drawer
}

// drawer draws rows.
type drawer interface {
	// draw appends a row.
	draw(b []byte, r *row) []byte
	// end appends what comes after the last row.
	end(b []byte) []byte
}

// newDrawing returns a drawing. about is what its figure is to know of the run.
func newDrawing(about About, d drawer) drawing {
	return drawing{figure: newFigure(about), drawer: d}
}

// DrawsFigures says that the format draws figures, and not one line after the other.
func (*drawing) DrawsFigures() {}

// Append draws what a moment shows.
func (d *drawing) Append(b []byte, m *Moment) []byte {
	moments := d.order.take(m)
	for i := range moments {
		rows := d.figure.take(&moments[i])
		for j := range rows {
			b = d.drawer.draw(b, &rows[j])
		}
	}
	if m.What == Ended {
		return d.drawer.end(b)
	}
	return b
}
