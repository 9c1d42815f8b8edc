package mistakes

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"lbaws/trace/event"
	"lbaws/trace/sockets"
)

// messages are the rules on bytes: what a read has taken, and what a write was able to.
var messages = []*Rule{
	{Name: "part", when: begins, shows: func(w *Watch, m *event.Moment) string {
		own := w.endsWith(m.Event)
		if own == nil || m.Event.Call.Does != event.Closes || own.http.unknown || own.http.incomplete == "" || own.http.responses == 0 {
			return ""
		}
		return "the program has answered a part of the request: in what it has read " + own.http.incomplete
	}},
	{Name: "several", when: begins, shows: func(w *Watch, m *event.Moment) string {
		own := w.endsWith(m.Event)
		if own == nil || own.http.unknown || own.http.responses == 0 || own.http.requests <= own.http.responses || own.http.closes {
			return ""
		}
		return fmt.Sprintf("read has taken %d requests at once, and the program has answered %d: a read takes bytes, not messages",
			own.http.requests, own.http.responses)
	}},
	{Name: "no-end", when: begins, shows: func(w *Watch, m *event.Moment) string {
		own := w.of(m.Event)
		if !m.Event.Moves(event.Reads) || own == nil || !own.accepted || own.finSent || own.endOfFile || own.http.responses == 0 || !own.http.endless || w.Scene.GoesOn {
			return ""
		}
		return "the response says no length: only a FIN would show the client its end, and none was sent"
	}},
	{Name: "short-write", when: begins, shows: func(w *Watch, m *event.Moment) string {
		own := w.endsWith(m.Event)
		if own == nil || own.unsent == 0 {
			return ""
		}
		return fmt.Sprintf("write has taken %d of %s, and the rest was never written", own.sent, sockets.Bytes(own.sent+own.unsent))
	}},
	{Name: "busy", when: fails, shows: func(w *Watch, m *event.Moment) string {
		d := w.doing(m.Event)
		if d.again != manyTimes-1 || !d.failsAgain(m.Event) {
			return ""
		}
		return fmt.Sprintf("%s has failed with EAGAIN %d times, one soon after the other, and costs the processor's time: poll waits until it would not",
			m.Event.Name(), manyTimes)
	}},
}

// endsWith returns the connected socket for whose sending end a call is the last: it closes or shuts
// down, or the thread that has served it calls accept.
func (w *Watch) endsWith(e *event.Event) *end {
	own := w.of(e)
	switch {
	case own == nil || own.finSent || w.Scene.Closing == sockets.Shared:
		return nil
	case e.Call.Does == event.Closes, e.Call.Does == event.ShutsDown && e.Args[1].Int != unix.SHUT_RD:
		return own
	}
	return nil
}

// A loop is busy if a call fails so many times, without a longer pause before it, and none succeeds.
const (
	manyTimes = 100
	pause     = time.Millisecond
)

// failsAgain reports whether a call has failed with EAGAIN soon after another one.
func (d *doing) failsAgain(e *event.Event) bool {
	return e.Errno == unix.EAGAIN && event.HasTime(e.Begin) && e.Begin.Sub(d.began) < pause
}
