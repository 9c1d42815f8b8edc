package tracer

import (
	"errors"
	"net/netip"
	"time"

	"lbaws/trace/event"
)

// This file tells the formats of the calls of other programs, which somebody else watches.

// Began tells the formats that another program's call begins, and returns its event, for
// Returned. It sets the number and, unless that is known, the time.
func (t *Tracer) Began(e event.Event) *event.Event {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e.Call.Does == event.Connects {
		t.misses(e.Args[1].Addr.AddrPort().Port())
	}
	begun := t.copyOf(&e)
	t.begins(begun)
	return begun
}

// copyOf returns an event of the recorder's own that has what e has.
func (t *Tracer) copyOf(e *event.Event) *event.Event {
	kept := t.event()
	recorded := e.Recorded.CopyTo(kept.Recorded)
	*kept = *e
	kept.Recorded = recorded
	return kept
}

// misses tells the formats once that segments of a server's port are wanted and not captured.
func (t *Tracer) misses(port uint16) {
	if !t.Segments || t.missing || t.ends.ports.Has(port) {
		return
	}
	t.missing = true
	t.tell(event.Moment{What: event.Captured, At: time.Now(), Port: port,
		Err: errors.New("those from and to a server that is not in the run are not captured")})
}

// Returned tells the formats that the call has returned whose event Began has returned. It sets
// the number and, unless they are known, the times.
func (t *Tracer) Returned(begun *event.Event, e event.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	returned := t.copyOf(&e)
	returned.Number, returned.Begin = begun.Number, begun.Begin
	if returned.Return.IsZero() {
		returned.Return = time.Now()
	}
	returned.Took = returned.Return.Sub(begun.Begin)
	t.returns(begun, returned)
}

// Exited tells the formats that another program has ended, or that a call has closed
// descriptors that is no close.
func (t *Tracer) Exited(e *event.Exit) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.catchUp()
	t.tell(event.Moment{What: event.Exited, At: time.Now(), Exit: e})
	t.copies.ends(e.Thread)
	t.settle()
}

// Between tells the formats that another program is a server and a client at once, from now on.
func (t *Tracer) Between(p *event.Proxy) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.catchUp()
	t.tell(event.Moment{What: event.Between, At: time.Now(), Proxy: p})
	t.settle()
}

// Follows says that a process is one of the other programs' from now on, or is no more: its
// descriptors are to be known.
func (t *Tracer) Follows(pid int, follows bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.watch == nil:
	case follows:
		t.watch.AddProcess(pid)
	default:
		t.watch.RemoveProcess(pid)
	}
}

// Serves says that another program is about to listen on an address: its segments and its
// sockets are followed from now on, if they are wanted.
func (t *Tracer) Serves(address netip.AddrPort) {
	t.openCapture(address, false)
	t.watchPort(address, false)
}
