package figure

import (
	"fmt"
	"net/netip"

	"lbaws/trace/event"
	"lbaws/trace/wire"
)

// servers are those that listen, and those whose segments are captured.
type servers struct {
	server netip.AddrPort                      // where one listens, as far as the calls tell: the last one
	bound  map[event.Descriptor]netip.AddrPort // of sockets that may listen, or do
	queues map[uint16]*queue                   // of listening sockets, by port
	ports  wire.Ports                          // whose segments are captured, by which their direction is known
}

// queue is what is known of the accept queue of the socket that listens on a port.
type queue struct {
	listens event.Descriptor // of the socket
	closed  bool             // whether that was closed
	unknown bool             // whether the backlog is not known, or several sockets listen there
	backlog int              // how many connections may wait for accept
	waiting int              // how many do
}

// isFull reports whether it is known that no more connections get in.
func (q *queue) isFull() bool { return q != nil && !q.unknown && !q.closed && q.waiting > q.backlog }

// captures notes that the segments of a server will come, or that they will not.
func (f *Figure) captures(m *event.Moment) {
	switch {
	case m.Err == nil:
		f.captured, f.whyNot = true, nil
		f.ports.Add(m.Port) // nobody captures more
	case f.captured:
		f.warn(fmt.Sprintf("no segments of port %d: %v", m.Port, m.Err))
	default:
		f.whyNot = m.Err
	}
}

// binds notes the address of a socket that may listen, which the call of e gives or tells.
func (f *Figure) binds(e *event.Event) {
	at, fd := wire.Plain(e.Args[1].Addr.AddrPort()), e.Descriptor()
	was, known := f.bound[fd]
	if !known && e.Call.Does != event.Binds && f.server.Port() != 0 { // it need not listen
		return
	}
	if q := f.queues[was.Port()]; q != nil && q.listens == fd && was.Port() != at.Port() { // the kernel chose the port
		delete(f.queues, was.Port())
		f.queues[at.Port()] = q
	}
	f.bound[fd], f.server = at, at
}

// listens notes that the socket of e listens.
func (f *Figure) listens(e *event.Event) {
	at := f.listeningAt(e)
	f.server = at
	q := f.queues[at.Port()]
	switch {
	case q == nil || q.closed:
		f.queues[at.Port()] = &queue{listens: e.Descriptor(), backlog: e.Args[1].Int}
	case q.listens == e.Descriptor():
		q.backlog = e.Args[1].Int
	default:
		q.unknown = true
	}
}

// accepts notes that the socket listens from which accept has returned a connection, although
// its listen may not have been seen.
func (f *Figure) accepts(c *conversation) {
	if port := c.Server.Port(); f.queues[port] == nil {
		f.queues[port] = &queue{unknown: true}
	}
}

// listeningAt returns where the socket of e listens, as far as that is known: without an
// address if only the port is, or the zero AddrPort.
func (f *Figure) listeningAt(e *event.Event) netip.AddrPort {
	if at, known := f.bound[e.Descriptor()]; known {
		return at
	}
	if e.Recorded != nil && e.Recorded.Port != 0 && e.Recorded.Port != f.server.Port() {
		return netip.AddrPortFrom(netip.Addr{}, e.Recorded.Port)
	}
	return f.server
}

// queueOf returns the queue in which the connection waits for accept, or nil: it may be one
// to a server that is not traced.
func (f *Figure) queueOf(c *conversation) *queue { return f.queues[c.Server.Port()] }

// listensOn reports whether a socket is known to listen.
func (f *Figure) listensOn(fd event.Descriptor) bool {
	q := f.queues[f.bound[fd].Port()]
	return q != nil && q.listens == fd && !q.closed
}

// unbinds notes that a socket is closed that may have listened.
func (f *Figure) unbinds(fd event.Descriptor) {
	if q := f.queues[f.bound[fd].Port()]; q != nil && q.listens == fd {
		q.closed = true
	}
	delete(f.bound, fd)
}

// isFromServer reports whether a server has sent a segment. Where each end's port is a
// server's, the one that has sent the SYN is the client.
func (f *Figure) isFromServer(s *wire.Segment) bool {
	switch {
	case !f.ports.Has(s.From.Port()):
		return false
	case !f.ports.Has(s.To.Port()):
		return true
	}
	const bits = wire.SYN | wire.ACK
	clients, servers := f.between(s.From, s.To), f.between(s.To, s.From) // whose its sender may be
	switch {
	case s.Flags&bits == wire.SYN:
		return servers != nil && !servers.Over() // both SYNs are under way
	case clients != nil && servers != nil:
		return servers.Number > clients.Number
	case clients == nil && servers == nil:
		return s.Flags&bits == bits
	}
	return servers != nil
}
