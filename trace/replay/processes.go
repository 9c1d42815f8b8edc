package replay

import (
	"cmp"
	"maps"
	"slices"

	"lbaws/trace/event"
)

// process is what shares descriptors: a process, with all of its threads.
type process struct {
	id      int // its first thread, as the recording has it
	threads int // how many live
	open    map[int]descriptor
	epoll   map[int]bool // epoll descriptors that wait for TCP sockets
	serves  bool         // whether it has listened, or accepted
	ports   []uint16     // to which it has called connect; a few of them
	parent  *process     // from which it has its descriptors; or nil
	workers event.Workers
}

// descriptor leads to a socket.
type descriptor struct {
	socket      *socket
	closeOnExec bool
}

// socket is a TCP socket.
type socket struct {
	id          int
	descriptors int // how many lead to it
	role        role
	accepted    bool   // whether accept has returned it
	resets      bool   // whether close sends a RST: SO_LINGER with a time of 0, set or inherited from the socket that listens
	atOnce      bool   // whether no call on it waits: it is non-blocking
	timed       bool   // whether calls on it wait for some time at most: SO_RCVTIMEO, SO_SNDTIMEO
	port        uint16 // the server's: that it is bound to, or connected to; 0 if it is not known
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
	sockets  *int          // how many there have been, in all recordings
	lines    int           // how many lines have been read
	copied   int           // how many descriptors children have been given
	orphans  int           // how many children have none, because there were too many
	left     int           // how many descriptors calls have left open that close some
	unclosed int           // how many such calls were not followed, because there were too many
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
		return known
	}
	switch {
	case thread == 0 && len(p.byThread) == 1: // strace numbers its only process no more
		for _, only := range p.byThread {
			return only
		}
	case !resumesFork && len(p.forks) > 0:
		return p.child(thread)
	case p.byThread[0] != nil && !p.attached[thread]: // it numbers its first process from now on
		first := p.byThread[0]
		delete(p.byThread, 0)
		first.id = thread
		p.byThread[thread] = first
		return first
	}
	return p.add(thread, &process{id: thread})
}

func (p *processes) add(thread int, of *process) *process {
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
	return p.add(thread, &process{id: thread})
}

// born makes a thread the child of a fork.
func (p *processes) born(f *fork, thread int) *process {
	parent := p.of(f.thread, true)
	if f.shares {
		return p.add(thread, parent)
	}
	child := &process{id: thread, parent: parent}
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
	if of := p.byThread[thread]; of != nil && thread != first {
		delete(p.byThread, thread)
		p.byThread[first] = of
		of.threads = 1
	}
}

// exits notes that a thread has ended. If it was its process's last, its descriptors
// are closed: exits returns the sockets that end with them.
func (p *processes) exits(thread int) (of *process, ended []*socket) {
	of = p.of(thread, true)
	delete(p.byThread, thread)
	delete(p.attached, thread)
	if of.threads--; of.threads > 0 {
		return of, nil
	}
	return of, p.closeSome(of, func(int, descriptor) bool { return true })
}

// closeSome closes the descriptors of a process that are chosen, and returns the sockets to
// which no other leads, the oldest first.
func (p *processes) closeSome(of *process, chosen func(int, descriptor) bool) (ended []*socket) {
	// What is looked at and left open may not grow faster than the recording.
	const perLine, spare = 16, 1 << 16
	if p.left > spare+perLine*p.lines {
		p.unclosed++
		return nil
	}
	for fd, d := range of.open {
		if chosen(fd, d) && !of.close(fd) {
			ended = append(ended, d.socket)
		}
	}
	p.left += len(of.open)
	slices.SortFunc(ended, func(x, y *socket) int { return cmp.Compare(x.id, y.id) })
	return ended
}

// at returns the socket that a descriptor leads to, or nil.
func (p *process) at(fd int) *socket {
	if p == nil {
		return nil
	}
	return p.open[fd].socket
}

// known returns the process of a thread; nil if it is new, and no fork's child.
func (p *processes) known(thread int) *process {
	if known := p.byThread[thread]; known != nil || len(p.byThread) == 0 {
		return known
	}
	if len(p.forks) > 0 || thread == 0 || p.byThread[0] != nil {
		return p.of(thread, false)
	}
	return nil
}

// set makes a descriptor lead to a socket.
func (p *process) set(fd int, d descriptor) {
	if p.open == nil {
		p.open = make(map[int]descriptor)
	}
	p.close(fd)
	p.open[fd] = d
	d.socket.descriptors++
}

// close closes a descriptor, and reports whether others lead to its socket.
func (p *process) close(fd int) (shared bool) {
	d, open := p.open[fd]
	if !open {
		return false
	}
	delete(p.open, fd)
	d.socket.descriptors--
	return d.socket.descriptors > 0
}

// create returns a new socket.
func (p *processes) create(role role) *socket {
	*p.sockets++
	return &socket{id: *p.sockets, role: role}
}
