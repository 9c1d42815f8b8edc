package tracer

import (
	"slices"

	"lbaws/sys"
	"lbaws/trace/event"
)

// batch is what the formats are to get: calls that have begun, and calls that have
// returned, in their order. As long as all text is held back anyway, in a file, nobody
// sees that they get many at once; and the program makes its calls without the whole of
// the drawing between any two of them.
type batch struct {
	events []batched
	data   []byte         // what the calls have read and written
	peers  []sys.Sockaddr // the addresses that they have got
}

// batched is the beginning of a call, or its return.
type batched struct {
	event *event.Event
	begun *event.Event // of a return: the call's first event, to which the formats may still refer
}

const (
	mostBatched = 64       // events
	mostData    = 64 << 10 // bytes
)

// batches reports whether the formats may get calls later than they are made: all of
// their text is held back, and nothing that they show is asked for at the time of the
// call.
func (r *recorder) batches() bool { return r.files && !r.Both && r.watch == nil }

// keepBuffers keeps what a call has read or written, whose beginning was e. It reports
// false if the formats have to get it before the program goes on.
func (b *batch) keepBuffers(e, returned *event.Event) bool {
	if mayHaveZone(returned) || len(b.data)+len(returned.Args[1].Data) > mostData {
		return false
	}
	b.data, b.peers = returned.CopyBuffers(b.data, b.peers)
	e.Args = returned.Args // of what e shows, the same
	return len(b.events) < mostBatched
}

// mayHaveZone reports whether the call has an address of which the formats may ask the
// kernel for the zone's name, by the call's descriptor.
func mayHaveZone(e *event.Event) bool {
	return slices.ContainsFunc(e.Call.Params, func(p event.Param) bool { return p.Kind == event.Address }) ||
		e.Args[1].Addr != nil && e.Args[1].Addr.AddrPort().Addr().Zone() != ""
}

// noteConnection notes the connection that a call has made.
func (r *recorder) noteConnection(e *event.Event) {
	switch {
	case r.capture == nil || e.Failed():
	case e.Call.Does == event.Accepts, e.Call.Does == event.Connects && r.ends.isClient:
		r.ends.made(e.Peer())
	}
}

// give gives the formats what was kept for them, and the segments before each of it.
func (r *recorder) give() {
	b := &r.batch
	for _, kept := range b.events {
		e := kept.event
		if kept.begun == nil {
			r.appendUntil(e.Begin)
			r.tell(event.Moment{What: event.Began, At: e.Begin, Event: e})
			continue
		}
		r.appendUntil(e.Return)
		r.noteConnection(e)
		r.tell(event.Moment{What: event.Returned, At: e.Return, Event: e})
		r.free = append(r.free, e, kept.begun)
	}
	b.events, b.data, b.peers = b.events[:0], b.data[:0], b.peers[:0]
}
