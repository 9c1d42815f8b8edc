package layout

import (
	"fmt"
	"time"

	"lbaws/trace/event"
	"lbaws/trace/figure"
)

// Times says which time stands before each row of a diagram, in seconds: of a segment
// the kernel's, of a call that is one row that of its beginning. A note has none, nor
// has an arrow that nobody has seen.
type Times int

// The times.
const (
	NoTimes    Times = iota
	SinceStart       // since the first row
	SinceRow         // since the last row before it that has a time
)

// Clock writes the times of rows, right-aligned in a column on the left.
type Clock struct {
	Times Times
	start time.Time     // of the first row
	last  time.Duration // of the row before, since then
	wide  int           // how wide the longest time was
	text  []byte        // room for texts
}

// Column is how wide the column is, with the blank behind it: room for 9999.999999 seconds,
// and more once there was a longer time; 0 if no times are shown.
func (c *Clock) Column() int {
	if c.Times == NoTimes {
		return 0
	}
	return max(len("9999.000000"), c.wide) + len(" ")
}

// Read returns the time of a row, which is empty if the row has none. The first
// row has the column's name instead. It is good until the next call.
func (c *Clock) Read(r *figure.Row) []byte {
	c.text = c.text[:0]
	switch {
	case c.Times == NoTimes || r.Kind != figure.HeadRow && !(r.Timed() && event.HasTime(r.At)):
	case r.Kind == figure.HeadRow && c.Times == SinceStart:
		c.text = append(c.text, "SECONDS"...)
	case r.Kind == figure.HeadRow:
		c.text = append(c.text, "+SECONDS"...)
	default:
		c.text = AppendSeconds(c.text, c.since(r.At))
	}
	c.wide = max(c.wide, len(c.text))
	return c.text
}

// since is the time that is shown for at: the wall clock's, as a segment's is. The time
// since the start is what is cut to microseconds, so that the times since the rows before
// add up to it.
func (c *Clock) since(at time.Time) time.Duration {
	at = at.Round(0)
	if c.start.IsZero() {
		c.start = at
	}
	before := c.last
	if c.last = at.Sub(c.start).Truncate(time.Microsecond); c.Times == SinceRow {
		return c.last - before
	}
	return c.last
}

// AppendSeconds appends a duration as strace -r writes it, without the blanks.
func AppendSeconds(b []byte, d time.Duration) []byte {
	if d < 0 { // another thread's row came first
		b = append(b, '-')
		d = -d
	}
	return fmt.Appendf(b, "%d.%06d", d/time.Second, d%time.Second/time.Microsecond)
}
