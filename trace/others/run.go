package others

import (
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"lbaws/trace/event"
	"lbaws/trace/sockets"
)

// Run is a run of calls that are alike: no other call stands between them. The zero value is ready
// to use.
type Run struct {
	Caller event.Caller
	thread int
	name   string
	fd     int
	reads  bool         // whether each asks for one byte
	number int          // the last one's
	again  bool         // whether the last one that has returned has failed with EAGAIN, or as its descriptor leads to no socket
	hidden bool         // whether the last one is not shown
	open   *event.Event // that one, as long as it has not returned
	Count  int          // how many are not shown
	bytes  int          // that these have moved
}

// alike has the calls that are alike whatever they return: those that set or ask for something,
// and those that wait for several descriptors.
var alike = []string{"setsockopt", "getsockopt", "fcntl", "fcntl64", "ioctl", "getsockname", "getpeername",
	"poll", "ppoll", "select", "_newselect", "pselect6", "epoll_wait", "epoll_pwait", "epoll_pwait2"}

// Begins takes a call that begins, and reports whether it is like the one before.
func (r *Run) Begins(e *event.Event) bool {
	const oneByte = 1
	reads := e.Call.Does == event.Reads && e.Args[2].Int == oneByte
	same := r.number == e.Number-1 && r.Caller == e.Caller && r.thread == e.ThreadID() && r.name == e.Name() && r.fd == e.Args[0].Int
	if same && (slices.Contains(alike, r.name) || r.again || r.reads && reads) {
		r.number, r.hidden, r.open = e.Number, true, e
		return true
	}
	*r = Run{Caller: e.Caller, thread: e.ThreadID(), name: e.Name(), fd: e.Args[0].Int, reads: reads, number: e.Number}
	return false
}

// Returns takes a call that has returned, and reports whether it is still like those before.
func (r *Run) Returns(e *event.Event) bool {
	if e.Number != r.number {
		return false
	}
	r.open = nil
	was := r.again
	r.again = e.Failed() && (e.Errno == unix.EAGAIN || e.NoSocket())
	if !r.hidden || was && !r.again && !slices.Contains(alike, r.name) {
		return false
	}
	r.Count++
	r.bytes += max(0, e.Moved())
	return true
}

// Reveals returns the call that has begun and is not shown, if something else happens before it
// returns; or nil. From then on, it is shown.
func (r *Run) Reveals() *event.Event {
	e := r.open
	if e != nil {
		r.hidden, r.open = false, nil
	}
	return e
}

// Text says how many calls are not shown, and how many bytes these have read.
func (r *Run) Text() string {
	text := fmt.Sprintf("… %s once more", r.name)
	if r.Count > 1 {
		text = fmt.Sprintf("… %s %d times more", r.name, r.Count)
	}
	if r.reads {
		text += ": " + sockets.Bytes(r.bytes)
	}
	return text
}

// Ends notes that a row has said how many calls were not shown.
func (r *Run) Ends() { r.Count, r.bytes = 0, 0 }

// Hides reports whether a call is under way that is not shown.
func (r *Run) Hides(e *event.Event) bool { return r.hidden && r.number == e.Number }
