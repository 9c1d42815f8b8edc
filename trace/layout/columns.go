package layout

import (
	"lbaws/trace/figure"
)

// Columns is what a diagram is to show.
type Columns struct {
	figure.About
	Limit   int   // how many bytes of a buffer are shown at most
	Times   Times // which time stands before each row
	Steps   bool  // whether a call that waits ends its row, as a panel below it needs
	Clients int   // how many clients have a column each, where there is room; 0 and 1 are the same
}
