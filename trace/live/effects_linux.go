package live

import (
	"bytes"
	"iter"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"lbaws/sys/ptrace"
	"lbaws/trace/event"
	"lbaws/trace/live/buffers"
	"lbaws/trace/others"
	"lbaws/trace/sockets"
	"lbaws/trace/strace"
)

// noteReturn notes what a call has done.
func (w *watcher) noteReturn(c *call, rest *strace.Rest) {
	makes := c.does.Effect == event.Makes || c.does.Effect == event.Accepts
	c.of.failed = c.of.failed || makes && rest.Value < 0
	s := c.socket
	if c.about.NoSocket {
		return
	}
	if c.does.Effect == event.Closes {
		s.closings--
		if !c.told {
			c.about.Shared = w.isOpen(s) || s.closings > 0
		}
		if !c.about.Shared {
			delete(w.sockets, s.inode)
		}
		c.of.was[int(int32(c.Args[0]))] = s
	}
	if rest.Value < 0 {
		c.about.AtOnce = c.about.AtOnce || rest.Errno == "EAGAIN" || rest.Errno == "EINPROGRESS"
		return
	}
	switch c.does.Effect {
	case event.Makes:
		c.about.Made = w.made(c, rest, unknown)
		c.about.Socket = c.about.Made
	case event.Accepts:
		c.about.Made = w.made(c, rest, servers)
		if made := w.sockets[uint32(c.about.Made)]; made != nil {
			made.resets = s.resets // Linux copies the listening socket's options, and not its O_NONBLOCK
		}
	case others.Forks:
		w.awaits(rest.Value)
	case event.Listens:
		s.listens, c.of.listened = true, true
		w.listening = true
		w.serves(c)
	case others.Controls:
		if on, off := others.SetsNonBlocking(rest); on || off {
			s.atOnce = on
		}
		s.shared = s.shared || bytes.Contains(rest.Args, []byte("F_DUPFD"))
	case others.Duplicates, others.Replaces:
		if s != nil {
			s.shared = true
		}
	}
}

// setAddresses sets the addresses of the connection that a call has made: the client's end of
// it, which the kernel knows if the program does not ask.
func (w *watcher) setAddresses(e *event.Event, c *call) {
	of := w.ThreadOf(c.thread.Process)
	switch {
	case !w.more:
	case c.does.Effect == event.Accepts && e.Result >= 0 && !e.Peer().IsValid():
		sockets.Borrow(of, e.Result, func(fd int) { e.Recorded.Peer = endsOf(fd).remote })
	case c.does.Effect == event.Connects && (e.Result >= 0 || e.Errno == unix.EINPROGRESS):
		sockets.Borrow(of, e.Args[0].Int, func(fd int) { e.Recorded.Local = endsOf(fd).local })
	case c.does.Effect == event.Listens && e.Result >= 0:
		e.Recorded.Local = c.socket.ends.local
	}
}

// askUnread asks how many bytes are unread of a socket that a call is about to close (tcp(7), SIOCINQ).
func (w *watcher) askUnread(c *call) {
	if !w.more || c.socket == nil || c.socket.listens || c.about.Shared {
		return
	}
	sockets.Borrow(w.ThreadOf(c.thread.Process), int(int32(c.Args[0])), func(fd int) {
		if n, err := unix.IoctlGetInt(fd, unix.SIOCINQ); err == nil {
			c.about.Unread = &n
		}
	})
}

// made notes the socket that a call has made, and returns what it is called.
func (w *watcher) made(c *call, rest *strace.Rest, role role) int {
	inode, _ := w.files.Inode(c.thread.ID, rest.Value)
	if inode == 0 { // another thread has closed it
		return 0
	}
	s := &socket{inode: inode, role: role, atOnce: bytes.Contains(rest.Args, []byte("SOCK_NONBLOCK"))}
	w.sockets[inode] = s
	w.know(c.thread.ID, rest.Value, s)
	return int(inode)
}

// serves tells the trace that a program is about to listen, or does, once it has a port.
func (w *watcher) serves(c *call) {
	if c.socket.ends.local.Port() != 0 {
		return
	}
	sockets.Borrow(w.ThreadOf(c.thread.Process), int(int32(c.Args[0])), func(fd int) { c.socket.ends = endsOf(fd) })
	if c.socket.ends.local.Port() != 0 {
		w.trace.Serves(c.socket.ends.local)
		w.listensAt(c.of, c.socket.ends.local)
	}
}

// share notes that other descriptors may lead to sockets, of other processes too.
func (w *watcher) share(sockets map[int]*socket) {
	for _, s := range sockets {
		s.shared = true
	}
}

// pass notes that a descriptor of one of the sockets may be under way to another process.
func (w *watcher) pass(sockets map[int]*socket) {
	w.share(sockets)
	for _, s := range sockets {
		s.passed = true
	}
}

// address is the address that a call is given.
func (c *call) address() (netip.AddrPort, bool) {
	_, text, _ := bytes.Cut(c.text, []byte("{"))
	return strace.ParseSockaddr(text)
}

// tellClosed tells the trace which sockets a call has closed that is no close, and whose
// connections end with that.
func (w *watcher) tellClosed(c *call) {
	var left []*socket
	switch c.does.Effect {
	case others.Replaces:
		if c.replaced != nil && c.replaced != c.socket {
			left = []*socket{c.replaced}
		}
	case others.ClosesSome, others.Execs:
		if c.thread.Result >= 0 {
			left = unique(maps.Values(c.before))
			maps.Copy(c.of.was, c.before)
		}
	}
	if len(left) == 0 {
		return
	}
	still := unique(maps.Values(w.descriptors(c.thread.ID)))
	left = slices.DeleteFunc(left, func(s *socket) bool { return slices.Contains(still, s) || w.isStillOpen(s) })
	if e := w.endOf(left); len(left) > 0 {
		e.How, e.Lives = c.Name, true
		w.tellExit(c.of, e)
	}
}

// isStillOpen reports whether another descriptor leads to a socket, of the programs or of others.
func (w *watcher) isStillOpen(s *socket) bool { return s.shared && (w.count(s) > 0 || w.isOpen(s)) }

// endOf returns the end of sockets to which no descriptor leads any more, the oldest first.
func (w *watcher) endOf(sockets []*socket) *event.Exit {
	e := &event.Exit{}
	for _, s := range sockets {
		e.Sockets = append(e.Sockets, int(s.inode))
		if s.resets {
			e.Resets = append(e.Resets, int(s.inode))
		}
		delete(w.sockets, s.inode)
	}
	slices.Sort(e.Sockets)
	return e
}

func unique(sockets iter.Seq[*socket]) (list []*socket) {
	for s := range sockets {
		if !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list
}

// leaves tells the trace that a process is about to end, and which sockets end with it: before
// the kernel closes them, and sends what that sends. Of those that somebody else may have, the
// kernel is asked later.
func (w *watcher) leaves(t *ptrace.Thread, status unix.WaitStatus) {
	if !t.IsLast() {
		return
	}
	p := w.process(t.Process)
	p.left, p.asked = nil, true
	own, lead := w.descriptors(t.ID), make(map[*socket]int)
	for _, s := range own {
		lead[s]++
	}
	var last []*socket
	for fd, s := range own {
		switch {
		case slices.Contains(last, s) || slices.Contains(p.left, s):
		case !s.passed && (!s.shared || w.count(s) == lead[s]):
			last = append(last, s)
		default:
			sockets.Borrow(t.ID, fd, func(fd int) { s.ends = endsOf(fd) })
			p.left = append(p.left, s)
		}
	}
	w.tellEnd(p, status, last, nil)
}

// tellEnd tells the trace that a process ends, if sockets do so with it: the last ones, and those of left to
// which no descriptor leads any more. If others keep connections of its, that is told, too, but once.
func (w *watcher) tellEnd(p *process, status unix.WaitStatus, last, left []*socket) {
	var kept []int
	for _, s := range left {
		if !w.isStillOpen(s) {
			last = append(last, s)
		} else if s.ends.remote.IsValid() && !p.told {
			kept = append(kept, int(s.inode))
		}
	}
	if slices.Sort(kept); len(last)+len(kept) > 0 {
		e := w.endOf(last)
		e.How, e.Kept, p.told = strace.Ended(status), kept, true
		w.tellExit(p, e)
	}
}

// ended tells the trace that a process has ended, and which sockets have with it.
func (w *watcher) ended(t *ptrace.Thread, status unix.WaitStatus) {
	delete(w.begun, t)
	delete(w.calls, t)
	delete(w.known, t.ID)
	w.files.Close(t.ID)
	if t.ID != t.Process.ID { // the first thread's end comes last
		return
	}
	p := w.process(t.Process)
	if !p.asked {
		p.left = w.lost(p)
	}
	w.tellEnd(p, status, nil, p.left)
	delete(w.processes, t.Process)
	w.trace.Follows(t.Process.ID, false)
	w.forgetLines(t.Process.ID)
}

// lost returns the sockets to which no other program's descriptor leads than those of a process
// that has ended. (A thread that is killed need not stop before it ends: the last one of a
// process may not have been asked which it has.)
//
// Source: ptrace(2), PTRACE_O_TRACEEXIT.
func (w *watcher) lost(p *process) (lost []*socket) {
	var open []*socket
	for other := range w.processes {
		if other != p.Process {
			open = slices.AppendSeq(open, maps.Values(w.descriptors(w.ThreadOf(other))))
		}
	}
	for _, s := range w.sockets {
		if s != nil && !slices.Contains(open, s) {
			lost = append(lost, s)
		}
	}
	return lost
}

// tellExit tells the trace that a process has ended, or has lost descriptors.
func (w *watcher) tellExit(p *process, e *event.Exit) {
	w.tell(func() {
		if e.Caller = w.caller(p, w.sideOf(p, nil)); !w.numbersThreads() {
			e.Caller.Thread = 0
		}
		w.trace.Exited(e)
	})
}

// setBuffer gives the event of a call that reads or writes the bytes that have been, of
// which strace's text has the beginning.
func (w *watcher) setBuffer(e *event.Event, c *call, result int) {
	switch {
	case !w.more || strings.HasSuffix(c.Name, "mmsg"):
	case e.Call.Does == event.Writes:
		if c.data == nil {
			c.data = buffers.Read(&c.Call, c.thread, e.Args[2].Int)
		}
		e.Args[1].Data, e.Recorded.Whole = c.data, true
	case e.Call.Does == event.Reads && result > 0:
		e.Args[1].Data, e.Recorded.Whole = buffers.Read(&c.Call, c.thread, result), true
	}
}

func (c *call) hasFlag(flag uint64) bool { return buffers.HasFlag(&c.Call, flag) }
