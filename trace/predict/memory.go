package predict

import (
	"cmp"
	"maps"
	"slices"

	"lbaws/trace/event"
	"lbaws/trace/sockets"
	"lbaws/trace/wire"
)

// Memory knows what the kernel holds, from what has changed since it was asked
// before, and remembers what it does not tell any more: of a connection that is gone
// while a descriptor still leads to it, what is unread, and whether a call is still to
// fail because of it.
type Memory struct {
	held map[uint64]*memory // by cookie
}

// memory is one socket.
type memory struct {
	sockets.Socket
	gone    bool   // whether the kernel holds it no more, and so it has no port any more
	unread  int    // if it is over: how many bytes are
	errno   string // with what the next write is to fail, when that was not told yet; "" if with EPIPE
	pending bool   // whether a read that finds no bytes is to fail with that too
}

// over reports whether the socket's connection is gone while its descriptor is still
// there: reset, or closed by both ends. What has come may be unread even so.
func (m *memory) over() bool {
	return m.State == wire.TimeWait || m.State == wire.Closed && m.Remote.Port() != 0
}

// Note notes what has changed.
func (m *Memory) Note(changes []sockets.Change) {
	if m.held == nil {
		m.held = make(map[uint64]*memory)
	}
	for i := range changes {
		c := &changes[i]
		if c.Descriptor >= 0 { // a number that a socket before it may have had
			m.forget(c.Thread, c.Descriptor, c.Cookie)
		}
		had := m.held[c.Cookie]
		if had == nil {
			had = &memory{}
			m.held[c.Cookie] = had
		}
		was := *had
		had.Socket, had.gone = c.Socket, c.Gone
		switch {
		case c.Gone && (c.Descriptor < 0 || was.State == wire.SynSent || was.Remote.Port() == 0):
			delete(m.held, c.Cookie)
		case c.Gone:
			had.end(&was)
			had.State, had.Receive, had.Send = wire.Closed, 0, 0
		case c.State == wire.TimeWait:
			had.end(&was)
		}
	}
}

// end notes that a connection is over. If it was not closed by both ends, that leaves an
// error for the next call, which only a RST makes ECONNRESET. If the peer's FIN came before
// it, a read returns 0 all the same, and the RST's error is EPIPE. If this end's FIN was
// on its way too, the last acknowledgement looks the same as a RST.
//
// Source: tcp_reset, tcp_abort, tcp_write_err and tcp_recvmsg_locked in Linux's net/ipv4.
func (m *memory) end(was *memory) {
	if was.over() {
		return
	}
	m.unread = was.Unread()
	switch {
	case m.State == wire.TimeWait:
	case was.State == wire.LastAck || was.State == wire.Closing:
		m.errno = "EPIPE if both ends have closed it"
	case was.State == wire.CloseWait:
		m.errno = "EPIPE if the peer sent a RST"
	default:
		m.errno, m.pending = "ECONNRESET if the peer sent a RST", true
	}
}

// forget forgets what a descriptor led to, but for the socket with that cookie.
func (m *Memory) forget(thread, fd int, cookie uint64) {
	for c, had := range m.held {
		switch {
		case c == cookie || had.Thread != thread || had.Descriptor != fd:
		case had.over() && had.State == wire.Closed:
			delete(m.held, c)
		default:
			had.Descriptor = -1
		}
	}
}

// Returned notes what a call has returned, when the changes that came with it were
// noted.
func (m *Memory) Returned(e *event.Event) {
	had := m.find(e.Thread, e.Args[0].Int)
	switch {
	case e.Call.Does == event.Closes:
		m.forget(e.Thread, e.Args[0].Int, 0)
	case had == nil || !had.over():
	case e.Call.Does == event.Reads && e.Result >= 0:
		had.unread -= e.Moved()
	case e.Result < 0 && (e.Call.Does == event.Reads || e.Call.Does == event.Writes):
		had.errno, had.pending = "", false // it is told once
	}
}

// find returns the socket to which a descriptor leads, or nil.
func (m *Memory) find(thread, fd int) *memory {
	for _, had := range m.held {
		if had.Thread == thread && had.Descriptor == fd {
			return had
		}
	}
	return nil
}

// findInode returns the socket with an inode, or nil.
func (m *Memory) findInode(inode uint32) *memory {
	for _, had := range m.held {
		if had.Inode == inode && !had.gone {
			return had
		}
	}
	return nil
}

// sorted returns the sockets, in the order of their cookies.
func (m *Memory) sorted() []*memory {
	return slices.SortedFunc(maps.Values(m.held), func(x, y *memory) int { return cmp.Compare(x.Cookie, y.Cookie) })
}

// Held returns what the kernel holds, in the same order.
func (m *Memory) Held() []sockets.Socket {
	var held []sockets.Socket
	for _, had := range m.sorted() {
		held = append(held, had.Socket)
	}
	return held
}

// Socket returns what the kernel holds of a call's descriptor, or nil.
func (m *Memory) Socket(e *event.Event) *sockets.Socket {
	if had := m.find(e.Thread, e.Args[0].Int); had != nil && e.Call.Does != event.Makes {
		return &had.Socket
	}
	return nil
}
