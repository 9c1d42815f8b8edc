package live

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"lbaws/trace/event"
	"lbaws/trace/others"
	"lbaws/trace/sockets"
	"lbaws/trace/wire"
)

// socket is a TCP socket that a program has.
type socket struct {
	inode    uint32 // by which /proc names it: no other socket gets the same one
	role     role
	port     uint16     // the server's: that it is bound to, or connected to; 0 if it is not known
	resets   bool       // whether close sends a RST: SO_LINGER with a time of 0
	atOnce   bool       // whether no call on it waits: it is non-blocking
	ends     ends       // its addresses, when it has them
	state    wire.State // of one that was there before, when it was met
	listens  bool
	shared   bool // whether several descriptors may lead to it
	passed   bool // whether a process may have one that is not followed, or is to get one
	closings int  // how many calls are under way that close a descriptor of it
}

// role is whose end a socket is.
type role int

const (
	unknown role = iota
	servers      // it listens, or was accepted
	clients      // it was connected
)

// known is what a descriptor led to when the kernel was asked.
type known struct {
	socket *socket
	epoch  int
}

// at returns the TCP socket that a thread's descriptor leads to now; nil if it leads to none.
// The kernel is not asked again as long as no call has closed a descriptor with that number:
// until then, what it leads to stays the same. But where threads share descriptors, another
// one may close it while the kernel is asked, so that it becomes a socket's later.
func (w *watcher) at(thread, fd int) *socket {
	const most = 1 << 12
	if k, asked := w.known[thread][fd]; asked && (k.socket != nil || !w.shares) && k.epoch >= max(w.closed[fd], w.changed) {
		return k.socket
	}
	s, open := w.ask(thread, fd)
	if len(w.known[thread]) >= most {
		clear(w.known[thread])
	}
	if open {
		w.know(thread, fd, s)
	}
	return s
}

// know notes what a thread's descriptor leads to now.
func (w *watcher) know(thread, fd int, s *socket) {
	if w.known[thread] == nil {
		w.known[thread] = make(map[int]known)
	}
	w.known[thread][fd] = known{s, w.epoch}
}

// noteClosing notes that a call begins, or has returned, that may make a descriptor's number
// lead to something else.
func (w *watcher) noteClosing(c *call) {
	switch c.does.Effect {
	case event.Closes:
		w.epoch++
		w.closed[int(int32(c.Args[0]))] = w.epoch
	case others.Replaces, others.ClosesSome, others.Execs:
		w.epoch++
		w.changed = w.epoch
		clear(w.closed)
	}
}

// ask asks the kernel what TCP socket a thread's descriptor leads to, nil if that is none; and
// whether it is open.
func (w *watcher) ask(thread, fd int) (s *socket, open bool) {
	inode, open := w.files.Inode(thread, fd)
	if inode == 0 {
		return nil, open
	}
	s, met := w.sockets[inode]
	if !met { // it was made before the program was followed, or comes from another one
		s = inspect(thread, fd, inode)
		w.sockets[inode] = s
	}
	return s, true
}

// descriptors returns the descriptors of a thread that lead to TCP sockets.
func (w *watcher) descriptors(thread int) map[int]*socket {
	found := make(map[int]*socket)
	for _, fd := range w.files.All(thread) {
		if s := w.at(thread, fd); s != nil {
			found[fd] = s
		}
	}
	return found
}

// inspect asks what a descriptor leads to that nothing is known of; nil if that is no TCP
// socket. For a moment, this process has a descriptor of the same socket.
//
// Source: pidfd_getfd(2).
func inspect(thread, fd int, inode uint32) *socket {
	s := &socket{inode: inode, shared: true, passed: true}
	isTCP := false
	if err := sockets.Borrow(thread, fd, func(fd int) { isTCP = s.ask(fd) }); err != nil || !isTCP {
		return nil
	}
	return s
}

// ask asks the kernel what a socket is, and reports whether it is one of TCP.
func (s *socket) ask(fd int) bool {
	set := sockets.OptionsOf(fd)
	if !set.TCP {
		return false
	}
	s.atOnce, s.resets, s.listens = set.NonBlocking, set.Resets, set.Listens
	s.ends, s.state = endsOf(fd), sockets.StateOf(fd)
	switch {
	case s.listens:
		s.role, s.port = servers, s.ends.local.Port()
	case !s.ends.remote.IsValid():
		s.port = s.ends.local.Port()
	}
	return true
}

// ends are the addresses of a socket.
type ends struct{ local, remote netip.AddrPort }

// endsOf asks for the addresses of a socket.
func endsOf(fd int) ends { return ends{sockets.LocalAddress(fd), sockets.PeerAddress(fd)} }

// isOpen reports whether a descriptor leads to a socket now, of any process.
func (w *watcher) isOpen(s *socket) bool {
	if w.asker == nil {
		return w.count(s) > 0
	}
	open, err := w.asker.IsOpen(s.inode, s.ends.local, s.ends.remote)
	return open && err == nil
}

// count returns how many descriptors of the programs lead to a socket: also those of children
// that have not stopped for the first time.
func (w *watcher) count(s *socket) (n int) {
	for p := range w.processes {
		n += w.countOf(w.ThreadOf(p), s)
	}
	for child := range w.unborn {
		n += w.countOf(child, s)
	}
	return n
}

// countOf returns how many descriptors of a thread lead to a socket.
func (w *watcher) countOf(thread int, s *socket) (n int) {
	for _, fd := range w.files.All(thread) {
		if inode, _ := w.files.Inode(thread, fd); inode == s.inode {
			n++
		}
	}
	return n
}

// awaits notes that clone has made a child. It has its parent's descriptors, and may stop for the
// first time after its parent's next calls.
func (w *watcher) awaits(child int) {
	for p := range w.processes {
		if p.ID == child {
			return
		}
	}
	for old := range w.unborn { // it may have ended before its parent went on
		if unix.Kill(old, 0) != nil {
			w.files.Close(old)
			delete(w.unborn, old)
		}
	}
	w.unborn[child] = true
}
