package strace

import (
	"time"

	"lbaws/trace/event"
)

// Timeline makes times of what stands at the beginning of the lines of a recording. The zero value
// is ready to use.
type Timeline struct {
	Kind Clock
	last int64 // of the line before
	days int64
}

// Read returns when a line was written, by the clock: nanoseconds, or a number that only
// grows if the recording has no times.
func (t *Timeline) Read(l *Line) int64 {
	const day = int64(24 * time.Hour)
	if t.Kind == NoClock {
		t.Kind = l.Clock
	}
	switch at := int64(l.Time) + t.days*day; {
	case t.Kind == NoClock:
		t.last++
	case l.Clock != t.Kind: // the line does not say
	case l.Clock == Before:
		t.last += int64(l.Time)
	case l.Clock == Midnight && at < t.last-day/2:
		t.days++
		t.last = at + day
	default:
		t.last = at
	}
	return t.last
}

// Time makes a time of what read has returned.
func (t *Timeline) Time(at int64) time.Time {
	switch t.Kind {
	case NoClock:
		return event.NoTime(at)
	case Epoch:
		return time.Unix(0, at)
	}
	return event.TimeOfDay(time.Duration(at))
}
