package layout

import (
	"strconv"
	"time"

	"lbaws/trace/event"
	"lbaws/trace/figure"
)

// Times says which time stands before each row of a diagram, in seconds. A row
// has the time of what it shows: a segment the kernel's, a call that was drawn as
// one row that of its beginning. What has no time of its own has none there: a
// note, and an arrow that nobody has seen.
type Times int

// The times.
const (
	NoTimes    Times = iota
	SinceStart       // since the first row
	SinceRow         // since the last row before it that has a time
)

// Clock writes the times of rows, right-aligned in a column of their own on the
// left.
type Clock struct {
	Times Times
	start time.Time     // of the first row
	last  time.Duration // of the row before, since then
	wide  int           // how wide the longest time was
	text  []byte        // room for texts
}

// Column is how wide the column is, with the blank behind it: room for 9999
// seconds and six decimals, and more once there was a longer time. It is 0 if no
// times are shown.
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

// since is the time that is shown for at. It is the wall clock's, as a segment's
// is: the two would not go together otherwise. What is cut off below a
// microsecond is cut off the time since the start, so that the times since the
// rows before add up to it.
func (c *Clock) since(at time.Time) time.Duration {
	at = at.Round(0)
	if c.start.IsZero() {
		c.start = at
	}
	elapsed := at.Sub(c.start).Truncate(time.Microsecond)
	before := c.last
	c.last = elapsed
	if c.Times == SinceRow {
		return elapsed - before
	}
	return elapsed
}

// AppendSeconds appends a duration as strace -r writes it, without the blanks.
func AppendSeconds(b []byte, d time.Duration) []byte {
	if d < 0 { // another thread's row came first
		b = append(b, '-')
		d = -d
	}
	b = strconv.AppendInt(b, int64(d/time.Second), 10)
	b = append(b, '.')
	start := len(b)
	b = strconv.AppendInt(b, int64(time.Second/time.Microsecond+d%time.Second/time.Microsecond), 10)
	return append(b[:start], b[start+1:]...) // without the 1, which kept the zeros
}
