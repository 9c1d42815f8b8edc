package replay

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"

	"lbaws/trace/event"
	"lbaws/trace/strace"
)

// process is what shares descriptors: a process, with all of its threads.
type process struct {
	id       int              // its first thread, as the recording has it
	threads  int              // how many live
	since    int              // the line in which it makes its first call
	whole    bool             // whether the recording has its beginning
	receives bool             // whether it may have got descriptors from another process
	name     string           // of the program that it executes; "" if that is not known
	isProxy  bool             // whether it is a server and a client at once
	listens  []netip.AddrPort // where it does; a few of them
	into     *process         // of which it has turned out to be a thread; or nil
	open     map[int]descriptor
	was      map[int]*socket // what its descriptors led to that are closed
	files    map[int]bool    // descriptors that lead to something else, of one of which the beginning is missing
	unknown  map[string]int  // by name, how many calls were made on descriptors of which nothing is known
	epoll    map[int]bool    // epoll descriptors that wait for TCP sockets
	serves   bool            // whether it has listened, or accepted
	binds    bool            // whether it has called bind with a port
	failed   bool            // whether a call has failed to make a socket, and returned -1
	ports    []uint16        // to which it has called connect; a few of them
	parent   *process        // from which it has its descriptors; or nil
	workers  event.Workers
}

// descriptor leads to a socket.
type descriptor struct {
	socket      *socket
	closeOnExec bool
	since       int // the line in which it was made, or was used first
}

// socket is a TCP socket.
type socket struct {
	id          int
	descriptors int         // how many lead to it
	ends        strace.Ends // its addresses, as far as the recording has them
	inode       string      // by which strace -y names it; "" if it does not
	made        int         // the line in which a call has made it; 0 if none has
	maker       *process    // that has made that call
	closer      *process    // that has closed its last descriptor
	role        role
	accepted    bool    // whether accept has returned it
	peer        *socket // the other end of its connection, if the recordings have it
	apart       bool    // whether they do not
	tried       bool    // whether connect has been called on it
	used        bool    // whether a call is about it
	resets      bool    // whether close sends a RST: SO_LINGER with a time of 0, set or inherited from the socket that listens
	atOnce      bool    // whether no call on it waits: it is non-blocking
	timed       bool    // whether calls on it wait for some time at most: SO_RCVTIMEO, SO_SNDTIMEO
	port        uint16  // the server's: that it is bound to, or connected to; 0 if it is not known
}

// role is whose end a socket is.
type role int

const (
	unknown role = iota
	servers      // it listens, or was accepted
	clients      // it was connected
)

// processes are those of one recording.
type processes struct {
	byThread map[int]*process
	forks    []*fork       // that never return
	children map[int][]int // of the forks that return later, by thread; nil until there is one
	attached map[int]bool  // threads that strace has announced
	*common
	lines    int         // how many lines have been read
	copied   int         // how many descriptors children have been given
	doubts   map[int]int // the lines in which descriptors were closed of which nobody knows what they led to
	passing  []*socket   // whose descriptors are under way to another process
	orphans  int         // how many children have none, because there were too many
	looked   int         // at how many descriptors, for calls that close some
	unclosed int         // how many such calls were not followed, because there were too many
}

// common is what all recordings that are drawn together have in common.
type common struct {
	sockets []*socket
	made    []*process
	steps   []*step // of all recordings, in the order of time
	named   *named
	left    map[string]int // how many calls are left out, by name
	idle    map[string]int // and how many of those on TCP sockets
	uses    map[int]uses   // of descriptors of which nobody knows what they lead to
}

func newCommon() *common {
	return &common{named: newNamed(), left: make(map[string]int), idle: make(map[string]int), uses: make(map[int]uses)}
}

// fork is a fork or clone of which the recording does not have the return.
type fork struct {
	thread  int
	shares  bool // whether its child shares its descriptors
	hasCome bool // whether the child has made a call
}

// of returns the process of a thread, which may be new.
func (p *processes) of(thread int, resumesFork bool) *process {
	if known := p.byThread[thread]; known != nil {
		return known.last()
	}
	switch {
	case thread == 0 && len(p.byThread) == 1: // strace numbers its only process no more
		for _, only := range p.byThread {
			return only.last()
		}
	case !resumesFork && len(p.forks) > 0:
		return p.child(thread)
	case p.byThread[0] != nil && !p.attached[thread]: // it numbers its first process from now on
		first := p.byThread[0].last()
		delete(p.byThread, 0)
		first.id = thread
		p.byThread[thread] = first
		return first
	}
	return p.add(thread, &process{id: thread, since: p.lines})
}

func (p *processes) add(thread int, of *process) *process {
	if of.threads == 0 {
		p.made = append(p.made, of)
	}
	of.threads++
	p.byThread[thread] = of
	return of
}

// child makes a new thread the child of a fork that never returns, and has none.
func (p *processes) child(thread int) *process {
	for _, f := range p.forks {
		if !f.hasCome {
			f.hasCome = true
			return p.born(f, thread)
		}
	}
	return p.add(thread, &process{id: thread, since: p.lines})
}

// born makes a thread the child of a fork.
func (p *processes) born(f *fork, thread int) *process {
	parent := p.of(f.thread, true)
	if f.shares {
		return p.add(thread, parent)
	}
	child := &process{id: thread, parent: parent, since: p.lines, whole: parent.whole, name: parent.name, listens: slices.Clip(parent.listens)}
	// What children are given may not grow faster than the recording.
	const perLine, spare = 2, 1 << 12
	if p.copied+len(parent.open)+len(parent.epoll) > spare+perLine*p.lines {
		p.orphans++
		return p.add(thread, child)
	}
	p.copied += len(parent.open) + len(parent.epoll)
	for fd, d := range parent.open {
		child.set(fd, d)
	}
	child.epoll = maps.Clone(parent.epoll)
	return p.add(thread, child)
}

// becomes notes that a thread has called execve, and has the number of its process's
// first thread from now on.
func (p *processes) becomes(thread, first int) {
	if of := p.byThread[thread].last(); of != nil && thread != first {
		delete(p.byThread, thread)
		p.byThread[first] = of
		of.threads = 1
	}
}

// exits notes that a thread has ended. If it was its process's last, its descriptors
// are closed: exits returns the sockets that end with them, and the connected ones that others keep.
func (p *processes) exits(thread int) (of *process, ended, kept []*socket) {
	of = p.of(thread, true)
	delete(p.byThread, thread)
	delete(p.attached, thread)
	if of.threads--; of.threads > 0 {
		return of, nil, nil
	}
	ended = p.closeSome(of, func(_ int, d descriptor) bool {
		if d.socket.descriptors > 1 && (d.socket.accepted || d.socket.tried) {
			kept = append(kept, d.socket)
		}
		return true
	})
	kept = slices.DeleteFunc(kept, func(s *socket) bool { return s.descriptors == 0 })
	slices.SortFunc(kept, func(x, y *socket) int { return cmp.Compare(x.id, y.id) })
	return of, ended, slices.Compact(kept)
}

// closeSome closes the descriptors of a process that are chosen, and returns the sockets to
// which no other leads, the oldest first.
func (p *processes) closeSome(of *process, chosen func(int, descriptor) bool) (ended []*socket) {
	if !p.mayLookAt(len(of.open)) {
		return nil
	}
	for fd, d := range of.open {
		if chosen(fd, d) && !of.close(fd) {
			ended = append(ended, d.socket)
		}
	}
	slices.SortFunc(ended, func(x, y *socket) int { return cmp.Compare(x.id, y.id) })
	return ended
}

// mayLookAt reports whether a call that closes some descriptors is followed, of a process that
// has n of them: what is looked at may not grow faster than the recording.
func (p *processes) mayLookAt(n int) bool {
	const perLine, spare = 16, 1 << 16
	if p.looked > spare+perLine*p.lines {
		p.unclosed++
		return false
	}
	p.looked += n
	return true
}

// at returns the socket that a descriptor leads to, or nil.
func (p *process) at(fd int) *socket {
	if p == nil {
		return nil
	}
	return p.open[fd].socket
}

// set makes a descriptor lead to a socket from the line in hand on.
func (p *processes) set(of *process, fd int, d descriptor) {
	d.since = p.lines
	of.set(fd, d)
}

// set makes a descriptor lead to a socket.
func (p *process) set(fd int, d descriptor) {
	if p.open == nil {
		p.open = make(map[int]descriptor)
	}
	p.close(fd)
	p.open[fd] = d
	d.socket.descriptors++
	delete(p.was, fd)
}

// reaches notes that p has called connect to a port.
func (p *process) reaches(port uint16) {
	const most = 64
	if len(p.ports) < most && !slices.Contains(p.ports, port) {
		p.ports = append(p.ports, port)
	}
}

// close closes a descriptor, and reports whether others lead to its socket.
func (p *process) close(fd int) (shared bool) {
	d, open := p.open[fd]
	if !open {
		return false
	}
	delete(p.open, fd)
	d.socket.descriptors--
	d.socket.closer = p
	if p.was == nil {
		p.was = make(map[int]*socket)
	}
	p.was[fd] = d.socket
	return d.socket.descriptors > 0
}

// create returns a new socket.
func (p *processes) create(role role) *socket {
	made := &socket{id: len(p.sockets) + 1, role: role}
	p.sockets = append(p.sockets, made)
	return made
}
