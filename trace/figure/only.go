package figure

import (
	"net/netip"
	"slices"

	"lbaws/trace/event"
	"lbaws/trace/sockets"
	"lbaws/trace/wire"
)

// This file leaves out the rows of what is not wanted. What the figure knows, it knows of all
// moments: so connections keep their numbers.

// Wants reports whether a moment is wanted that the figure is about to take.
func (f *Figure) Wants(m *event.Moment) bool {
	if f.run.Only.IsAll() {
		return true
	}
	at := m.At
	if m.Event != nil && !event.HasTime(at) { // it is not known when the call has returned
		at = m.Event.Begin
	}
	if f.since.IsZero() && m.What != event.Captured && m.What != event.Noted {
		f.since = at
	}
	if m.What != event.Ended && !f.run.Only.HasTime(at.Sub(f.since)) {
		return false
	}
	switch m.What {
	case event.Began, event.Waits, event.Returned:
		return f.wantsCall(m.Event)
	case event.Passed:
		client, server := m.Segment.To, m.Segment.From
		if !f.isFromServer(m.Segment) {
			client, server = server, client
		}
		return f.wantsConnection(f.between(client, server), client, server)
	case event.Changed:
		return f.wantsChange(m.Change, m.Side)
	case event.Exited:
		return f.wantsExit(m.Exit)
	}
	return true
}

// wantsCall reports whether a call is wanted. What a process does before it has a connection, it
// does for all of them.
func (f *Figure) wantsCall(e *event.Event) bool {
	if !f.run.Only.HasProcess(e.Thread, e.ThreadID()) {
		return false
	}
	c := f.ConversationOf(e)
	switch {
	case c != nil:
		c.touched = true
		return f.wantsConnection(c, c.Client, c.Server)
	case e.Call.Does == event.Connects && !e.NoSocket() || e.Opens():
		to := wire.Plain(e.Args[1].Addr.AddrPort())
		return f.wantsConnection(nil, to, to)
	}
	return !f.run.Only.OfConnections() && f.run.Only.HasServer(f.listeningAt(e))
}

// wantsConnection reports whether a connection is wanted, which may be a new one.
func (f *Figure) wantsConnection(c *conversation, client, server netip.AddrPort) bool {
	number := f.numbered + 1
	if c != nil {
		number = c.Number
		c.touched = c.touched || f.run.Only.HasProcess(c.programs[:]...)
	}
	if f.run.Only.OfProcesses() && (c == nil || !c.touched) {
		return false
	}
	return f.run.Only.HasConnection(number) && (f.run.Only.HasEnd(client) || f.run.Only.HasEnd(server))
}

func (f *Figure) wantsChange(c *sockets.Change, side event.Side) bool {
	if c.Remote.Port() == 0 {
		return !f.run.Only.OfConnections() && f.run.Only.HasProcess(c.Thread) && f.run.Only.HasServer(c.Local)
	}
	client, server := endsOf(c, side)
	return f.wantsConnection(f.between(client, server), client, server)
}

// wantsExit reports whether the end of a program is wanted: if that is, or if it ends a
// connection that is.
func (f *Figure) wantsExit(e *event.Exit) bool {
	return f.run.Only.OfProcesses() && f.run.Only.HasProcess(e.Thread) || slices.ContainsFunc(slices.Concat(e.Sockets, e.Kept), func(socket int) bool {
		c := f.descriptors[event.Descriptor{Fd: socket}]
		return c != nil && f.wantsConnection(c, c.Client, c.Server)
	})
}

// unwanted takes out the rows of a moment that is not wanted, but for those that are about the
// whole figure.
func (f *Figure) unwanted() []Row {
	f.rows = slices.DeleteFunc(f.rows, func(r Row) bool {
		return r.Kind != HeadRow && !r.Legend && !r.Warning && (!r.Mistake || f.isOutside)
	})
	return f.rows
}
