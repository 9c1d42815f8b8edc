package predict

import (
	"cmp"
	"slices"

	"golang.org/x/sys/unix"

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
	over    bool // whether the connection is gone, and only the descriptor is left
	unread  int  // then: how many bytes are
	pending bool // and whether the next call that finds none is to fail
	unsure  bool // whether a write is to fail with that error or another one
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
		was := had.Socket
		had.Socket = c.Socket
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

// end notes that a connection is over. A RST leaves an error for the next call. If the
// peer's FIN came before it, a read returns 0 all the same, and a write fails with
// EPIPE. If this end's FIN was on its way too, the write reports the RST instead; but
// the last acknowledgement looks the same as that RST.
//
// Source: tcp_reset and tcp_recvmsg_locked in Linux's net/ipv4.
func (m *memory) end(was *sockets.Socket) {
	if m.over {
		return
	}
	m.over, m.unread = true, was.Unread()
	m.unsure = was.State == wire.LastAck || was.State == wire.Closing && m.State != wire.TimeWait
	m.pending = m.State != wire.TimeWait && was.State != wire.CloseWait && !m.unsure
}

// forget forgets what a descriptor led to, but for the socket with that cookie.
func (m *Memory) forget(thread, fd int, cookie uint64) {
	for c, had := range m.held {
		switch {
		case c == cookie || had.Thread != thread || had.Descriptor != fd:
		case had.over && had.State == wire.Closed:
			delete(m.held, c)
		default:
			had.Descriptor = -1
		}
	}
}

// Returned notes what a call has returned, when the changes that came with it were
// noted.
func (m *Memory) Returned(e *event.Event) {
	had := m.find(e)
	switch {
	case e.Call.Does == event.Closes:
		m.forget(e.Thread, e.Args[0].Int, 0)
	case had == nil || !had.over:
	case e.Call.Does == event.Reads && e.Result >= 0:
		had.unread -= e.Result
	case e.Result < 0 && (e.Call.Does == event.Reads || e.Call.Does == event.Writes):
		had.pending = false // it is told once
		had.unsure = had.unsure && e.Call.Does == event.Reads
	}
}

func (m *Memory) find(e *event.Event) *memory {
	for _, had := range m.held {
		if had.Thread == e.Thread && had.Descriptor == e.Args[0].Int {
			return had
		}
	}
	return nil
}

// Held returns the sockets, in the order of their cookies.
func (m *Memory) Held() []sockets.Socket {
	held := make([]sockets.Socket, 0, len(m.held))
	for _, had := range m.held {
		held = append(held, had.Socket)
	}
	slices.SortFunc(held, func(x, y sockets.Socket) int { return cmp.Compare(x.Cookie, y.Cookie) })
	return held
}

// Predict is the function Predict, with what is remembered.
func (m *Memory) Predict(e *event.Event) (p Prediction, ok bool) {
	had := m.find(e)
	if had == nil || !had.over || e.Call.Does == event.Makes || e.Call.Does == event.Sleeps {
		return Predict(e, m.Held())
	}
	switch room := len(e.Args[1].Data); {
	case e.Call.Does == event.Writes && had.pending:
		return willFail(unix.ECONNRESET, "the connection was reset"), true
	case e.Call.Does == event.Writes && !had.unsure:
		return willFail(unix.EPIPE, "the connection is gone"), true
	case e.Call.Does != event.Reads || room == 0:
		return Predict(e, m.Held())
	case had.unread > room:
		return willReturn(room, "%s still unread: it will return %d of them", count(had.unread, "byte"), room), true
	case had.unread > 0:
		return willReturn(had.unread, "%s still unread: it will return %d", count(had.unread, "byte"), had.unread), true
	case had.pending:
		return willFail(unix.ECONNRESET, "the connection was reset"), true
	}
	return willSucceed("the connection is gone, and everything is read: it will return 0"), true
}
