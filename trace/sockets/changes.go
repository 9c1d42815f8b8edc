package sockets

import (
	"net/netip"
	"slices"
	"time"

	"lbaws/trace/wire"
)

// Change is one socket in which something has changed since the kernel was asked
// before.
type Change struct {
	Time time.Time // when the kernel was asked
	Socket
	Was  *Socket // what the kernel held before; nil if the socket is new
	Gone bool    // whether the kernel holds nothing of it any more; Socket is what it held last, but for the descriptor
	Had  bool    // whether a descriptor has led to it
}

// Watch compares what the kernel holds of one port with what it held before.
type Watch struct {
	asker *asker
	files *files
	held  map[uint64]*holding // by cookie
	ends  map[ends]*holding
	round int
	at    time.Time
	list  []Change
}

// holding is a socket that the kernel holds.
type holding struct {
	Socket
	had   bool
	round int // in which it was seen last
	was   Socket
}

// ends are the two addresses of a socket.
type ends struct{ local, remote netip.AddrPort }

// Open returns a Watch of the sockets whose local or remote port is the server's.
// family is that of its socket, unix.AF_INET or unix.AF_INET6. Where the kernel
// cannot be asked, the error says why.
func Open(port uint16, family int) (*Watch, error) {
	asker, err := newAsker(port, family)
	if err != nil {
		return nil, err
	}
	return &Watch{asker: asker, files: openFiles(), held: make(map[uint64]*holding), ends: make(map[ends]*holding)}, nil
}

// Ask asks the kernel, and returns what has changed: of the listening socket
// first, then in the order in which the sockets came to be. The changes are good
// until the next call.
func (w *Watch) Ask() ([]Change, error) {
	w.list = w.list[:0]
	sockets, err := w.asker.ask()
	if err != nil {
		return nil, err
	}
	w.at = time.Now()
	w.round++
	w.files.begin()
	for i := range sockets {
		s := &sockets[i]
		s.Descriptor = w.files.descriptor(s.Inode)
		w.note(s)
	}
	for cookie, h := range w.held {
		if h.round != w.round {
			w.forget(cookie, h)
		}
	}
	slices.SortFunc(w.list, func(x, y Change) int {
		if (x.State == wire.Listen) != (y.State == wire.Listen) {
			if x.State == wire.Listen {
				return -1
			}
			return 1
		}
		return int(int64(x.Cookie - y.Cookie))
	})
	return w.list, nil
}

// note compares a socket with what the kernel held of it.
func (w *Watch) note(s *Socket) {
	h := w.held[s.Cookie]
	if h == nil {
		h = &holding{Socket: *s, had: s.Inode != 0 || s.wasClosed()}
		w.held[s.Cookie] = h
		w.ends[ends{s.Local, s.Remote}] = h
		h.round = w.round
		w.list = append(w.list, Change{Time: w.at, Socket: *s, Had: h.had})
		return
	}
	h.round = w.round
	h.was, h.Socket = h.Socket, *s
	h.had = h.had || s.Inode != 0
	if h.ends() != (ends{h.was.Local, h.was.Remote}) { // connect has given it its addresses
		delete(w.ends, ends{h.was.Local, h.was.Remote})
		w.ends[h.ends()] = h
	}
	if differs(&h.was, s) {
		w.list = append(w.list, Change{Time: w.at, Socket: *s, Was: &h.was, Had: h.had})
	}
}

// wasClosed reports whether a socket is in a state that only a close leads to, or
// a half-close of a program that has its descriptor.
func (s *Socket) wasClosed() bool {
	return slices.Contains([]wire.State{wire.FinWait1, wire.FinWait2, wire.Closing, wire.LastAck, wire.TimeWait}, s.State)
}

func (h *holding) ends() ends { return ends{h.Local, h.Remote} }

// forget notes that the kernel has forgotten a socket.
func (w *Watch) forget(cookie uint64, h *holding) {
	delete(w.held, cookie)
	if w.ends[h.ends()] == h {
		delete(w.ends, h.ends())
	}
	h.was = h.Socket
	if h.Descriptor >= 0 && w.files.inode(h.Descriptor) != h.Inode { // it was closed
		h.Descriptor, h.Inode = -1, 0
	}
	w.list = append(w.list, Change{Time: w.at, Socket: h.Socket, Was: &h.was, Gone: true, Had: h.had})
}

// differs reports whether two answers about a socket differ in more than in how
// much time is left.
func differs(x, y *Socket) bool {
	return x.State != y.State || x.Receive != y.Receive || x.Send != y.Send || x.Again != y.Again ||
		x.Inode != y.Inode || x.Local != y.Local || x.Remote != y.Remote
}

// State returns the state of the socket with these addresses, as it was when the
// kernel was asked last: wire.Closed if there was none.
func (w *Watch) State(local, remote netip.AddrPort) wire.State {
	if h := w.ends[ends{local, remote}]; h != nil {
		return h.State
	}
	return wire.Closed
}

// Asked returns when the kernel was asked last.
func (w *Watch) Asked() time.Time { return w.at }

// Unread returns how many bytes wait for a read of a descriptor of this process,
// and reports whether that is known.
func (w *Watch) Unread(fd int) (n int, known bool) {
	for _, h := range w.held {
		if h.Descriptor == fd {
			return h.Unread(), true
		}
	}
	return 0, false
}
