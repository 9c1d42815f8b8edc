// Package event is what happens: a call begins or returns, a segment passes, a socket
// changes. A Format gets these moments one by one.
package event

import (
	"net/netip"
	"time"

	"lbaws/trace/sockets"
	"lbaws/trace/wire"
)

// Format turns moments into text. Append appends what a moment adds to b and returns
// the extended slice, like the built-in append. Nobody calls it twice at once. It keeps
// neither m nor what m points to, except for a call's event: see Event.
//
// A call's beginning comes before its return; between them may come other threads'
// calls. Segments and changes come in their order in time, as far as that is known.
type Format interface {
	Append(b []byte, m *Moment) []byte
}

// Moment is something that happened, or something that is known from then on.
type Moment struct {
	What What
	At   time.Time // when

	Event   *Event          // the call that Began, Returned or Waits
	InTwo   bool            // of a call that Returned: whether it has a row where it began
	Segment *wire.Segment   // that Passed
	Change  *sockets.Change // that has Changed a socket
	Side    Side            // whose socket that is
	Exit    *Exit           // of a program that Exited
	Proxy   *Proxy          // that a program is Between
	Text    string          // what was Noted; the title of a Figure
	Both    bool            // whether the Figure has calls of both ends
	Port    uint16          // the server's, whose segments are Captured
	Err     error           // why they are not, or why the kernel is not Asked
	Lost    int             // how many segments were Lost
}

// What is what happens in a moment.
type What int

// The moments.
const (
	Began    What = iota // a call begins: the event has what the program gave
	Returned             // a call has returned: the event is complete
	Waits                // the call that has begun and not returned waits: a write, mostly
	Passed               // a segment was captured
	Changed              // a socket has changed
	Noted                // something was done between the calls, and not by them
	Exited               // a program ends before it has closed its descriptors
	Between              // a program is a server and a client at once, from now on
	Captured             // segments from and to a port will come, or will not
	NotAsked             // changes of sockets will not come, or no more of them
	Lost                 // segments came faster than they were read
	Figure               // another figure begins, of a recording
	Ended                // nothing comes any more: the program leaves
)

// Exit is the end of a program.
type Exit struct {
	Caller
	How     string // how strace says it: "killed by SIGKILL"; "" is by this program's own doing
	Lives   bool   // whether the program goes on, and How is a call that has closed descriptors
	Sockets []int  // those that end with it
	Kept    []int  // connected ones of which it had a descriptor, and others still have one
	Resets  []int  // those of them that end with a RST in any case, by SO_LINGER
}

// Proxy is a program that is a server and a client at once.
type Proxy struct {
	Caller
	Name    string           // the program's
	Listens []netip.AddrPort // where it does, as far as that is known
}

// Text says it in a few words.
func (e *Exit) Text() string {
	switch {
	case e.Lives:
		return e.How + " has closed the last descriptor of " + map[bool]string{true: "a socket", false: "sockets"}[len(e.Sockets) == 1]
	case e.How == "":
		return "killed: the kernel closes its descriptors, as after kill -9"
	case len(e.Sockets) == 0 && len(e.Kept) > 0:
		return e.How + ": other descriptors lead to its connected " + map[bool]string{true: "socket", false: "sockets"}[len(e.Kept) == 1] + ", so no FIN is sent"
	}
	return e.How + ": the kernel closes its descriptors"
}

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
