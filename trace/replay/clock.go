package replay

import (
	"time"

	"lbaws/trace/event"
	"lbaws/trace/strace"
)

// clock makes times of what stands at the beginning of lines.
type clock struct {
	kind strace.Clock
	last int64 // of the line before
	days int64
}

// read returns when a line was written, by the clock: nanoseconds, or a number that only
// grows if the recording has no times.
func (c *clock) read(l *strace.Line) int64 {
	const day = int64(24 * time.Hour)
	if c.kind == strace.NoClock {
		c.kind = l.Clock
	}
	at := int64(l.Time) + c.days*day
	switch {
	case l.Clock != c.kind || l.Clock == strace.NoClock:
		if c.kind == strace.NoClock {
			c.last++
		}
		return c.last
	case l.Clock == strace.Before:
		at = c.last + int64(l.Time)
	case l.Clock == strace.Midnight && at < c.last-day/2:
		c.days++
		at += day
	}
	c.last = at
	return at
}

// time makes a time of what read has returned.
func (c *clock) time(at int64) time.Time {
	switch c.kind {
	case strace.NoClock:
		return event.NoTime(at)
	case strace.Epoch:
		return time.Unix(0, at)
	}
	return event.TimeOfDay(time.Duration(at))
}
