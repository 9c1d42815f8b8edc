package event

import "time"

// The years in which a recording is that has no times, or no date.
const (
	timeless = -1
	dateless = 0
)

// NoTime returns the nth moment of a recording that has no times.
func NoTime(n int64) time.Time {
	return time.Date(timeless, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(n))
}

// TimeOfDay returns a moment of a recording that does not say on which day it was made.
func TimeOfDay(d time.Duration) time.Time {
	return time.Date(dateless, 1, 1, 0, 0, 0, 0, time.UTC).Add(d)
}

// HasTime reports whether a time was recorded.
func HasTime(t time.Time) bool { return t.UTC().Year() > timeless }

// HasDate reports whether the day was recorded, too.
func HasDate(t time.Time) bool { return t.UTC().Year() > dateless } // in local time, the zone would be read from a file
