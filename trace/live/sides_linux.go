package live

import (
	"cmp"

	"lbaws/trace/event"
)

// This file says in whose column a call stands.

// mostHeld is how many moments are held back until it is known whose they are.
const mostHeld = 100

// tell tells the trace something: later, as long as it is not known whether the only program
// is a server or a client.
func (w *watcher) tell(say func()) {
	w.held = append(w.held, say)
	if !w.holdsBack() {
		w.release()
	}
}

// holdsBack reports whether the trace is to be told later.
func (w *watcher) holdsBack() bool {
	if w.holds && (len(w.held) >= mostHeld || w.knowsSides()) {
		w.release()
	}
	return w.holds
}

// knowsSides reports whether the only program has done what only a server does, or a client.
func (w *watcher) knowsSides() bool {
	for _, p := range w.processes {
		if p.serves || p.connects {
			return true
		}
	}
	return false
}

// release tells the trace what was held back.
func (w *watcher) release() {
	w.holds = false
	for _, say := range w.held {
		say()
	}
	clear(w.held)
	w.held = w.held[:0]
}

// sideOf returns in whose column a call on a socket stands: that of the socket or, if it is
// about none, or about one that was never connected, that of the process.
func (w *watcher) sideOf(p *process, s *socket) event.Side {
	switch {
	case s != nil && s.role == servers:
		return event.Server
	case s != nil && s.role == clients:
		return event.Client
	}
	for ; ; p = w.process(p.Parent) { // a child is what its parent is
		switch {
		case p.serves:
			return event.Server
		case p.connects:
			return event.Client
		case p.Parent == nil:
			return p.side
		}
	}
}

// caller returns who makes a call.
func (w *watcher) caller(p *process, side event.Side) event.Caller {
	if p.numbers[side] == 0 {
		w.programs[side]++
		p.numbers[side] = w.programs[side]
	}
	c := event.Caller{Side: side, Program: p.numbers[side] - 1, Thread: p.ID}
	if p.proxy && side == event.Server {
		c.Proxy = p.numbers[side]
	} else if p.proxy {
		c.Proxy = w.caller(p, event.Server).Proxy
	}
	return c
}

// complete says whose call an event is.
func (w *watcher) complete(e *event.Event, c *call) {
	e.Caller = w.caller(c.of, w.sideOf(c.of, cmp.Or(c.socket, c.lost)))
	e.Recorded.Others = true
	e.Line, e.File = c.place.Line, c.place.File
	if w.numbersThreads() {
		e.Recorded.Thread = c.thread.ID
	}
	e.Recorded.Worker = c.of.workers.Number(c.thread.ID, c.of.ID)
}

// numbersThreads reports whether strace's lines say which thread makes a call.
func (w *watcher) numbersThreads() bool { return w.threads > 1 || w.inFile }
