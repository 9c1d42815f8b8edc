package mistakes

import (
	"fmt"

	"golang.org/x/sys/unix"

	"lbaws/trace/event"
)

// descriptors are the rules on calls that are given a wrong descriptor, or whose result nobody has
// looked at.
var descriptors = []*Rule{
	{Name: "unchecked", when: fails, shows: func(w *Watch, m *event.Moment) string {
		e := m.Event
		if e.Errno != unix.EBADF || e.Args[0].Int != -1 {
			return ""
		}
		if failed := w.doing(e).failed; failed != "" {
			return fmt.Sprintf("-1 is no descriptor: %s has failed, and returned it", failed)
		}
		return "-1 is no descriptor: a call that has failed returns it, and a closed socket of Python's has it"
	}},
	{Name: "closed", when: fails, shows: func(w *Watch, m *event.Moment) string {
		e := m.Event
		fd := e.Args[0].Int
		last, closed := w.closed[place{e.Caller.Thread, fd}]
		own := last.end()
		switch {
		case e.Errno != unix.EBADF || !closed:
			return ""
		case e.Call.Does == event.Closes:
			return fmt.Sprintf("%d is closed already: a second close may hit another file, which has the number by then", fd)
		case own != nil && own.process == e.Caller.Thread && !own.finSent:
			return fmt.Sprintf("%d is no descriptor any more: the program has closed it, and %d, which accept had returned, is still open", fd, own.fd)
		}
		return fmt.Sprintf("%d is no descriptor any more: the program has closed it", fd)
	}},
	{Name: "not-a-socket", when: fails, shows: func(_ *Watch, m *event.Moment) string {
		if m.Event.Errno != unix.ENOTSOCK || m.Event.Args[0].Int < 0 {
			return ""
		}
		return fmt.Sprintf("%d leads to something that is no socket", m.Event.Args[0].Int)
	}},
	{Name: "listening", when: fails, shows: func(w *Watch, m *event.Moment) string {
		e := m.Event
		own := w.of(e)
		switch {
		case !isPeerless(e) || own == nil || !own.listens || e.Call.Does == event.ShutsDown: // it listens no more, or shutdown would not fail
			return ""
		case own.accepts > 0:
			return fmt.Sprintf("%d listens, and has no peer: the connection is %d, which accept has returned", own.fd, own.last)
		}
		return fmt.Sprintf("%d listens, and has no peer: accept returns a descriptor for each connection", own.fd)
	}},
	{Name: "not-connected", when: fails, shows: func(w *Watch, m *event.Moment) string {
		e := m.Event
		own := w.of(e)
		if !isPeerless(e) || own == nil || !own.peerless || own.listens {
			return ""
		}
		return fmt.Sprintf("%d has no peer: connect comes first", own.fd)
	}},
}

// isPeerless reports whether a call that needs a peer has failed because the socket has none.
func isPeerless(e *event.Event) bool {
	return e.Errno == unix.ENOTCONN && (e.Moves(event.Reads) || e.Moves(event.Writes) || e.Call.Does == event.ShutsDown) ||
		e.Errno == unix.EPIPE && e.Moves(event.Writes)
}
