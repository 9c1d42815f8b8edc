package trace

import "lbaws/trace/message"

// Columns is what a diagram is to show.
type Columns struct {
	Limit int            // how many bytes of a buffer are shown at most
	Both  bool           // whether all programs of both ends are traced
	URL   []message.Part // of the request that is to be made, if that is known
	Times Times          // which time stands before each row
	Steps bool           // whether a call that waits ends its row, as a panel below it needs

	Preface string // what stands on the first line; "" is nothing
	Clients int    // how many clients have a column each, where there is room; 0 and 1 are the same
}

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

func newDrawing(columns Columns, d drawer) drawing {
	return drawing{
		figure: figure{both: columns.Both, url: columns.URL, preface: columns.Preface, programs: make(map[int]int)},
		drawer: d,
	}
}

func (*drawing) drawsFigures() {}

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
