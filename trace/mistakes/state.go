package mistakes

import (
	"bytes"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"lbaws/trace/event"
	"lbaws/trace/message"
	"lbaws/trace/wire"
)

// This file notes what the rules go by: what each socket is, and what its program has done with it.

// end is a socket of a program.
type end struct {
	serial    int // names it: its memory may be another's later
	fd        int // its first descriptor
	process   int // that has made it
	bound     netip.AddrPort
	isBound   bool
	listens   bool
	shares    bool // whether another one listens on the same address
	backlog   int
	accepting int // how many accepts wait
	reached   int // of one that listens: how many connects of the programs have got there
	accepts   int // how many accepts have returned
	last      int // the descriptor that the last of them has returned
	lastMade  ref // and the socket
	reaches   netip.AddrPort
	begun     bool // whether a connect to there has not waited, and nothing has shown that it is complete
	accepted  bool // whether accept has returned it
	leftAt    int  // how many calls there were on it when the thread that made the last one has called accept
	peerless  bool // whether it was made here, and has no peer yet

	calls       int    // how many there were that read or write
	finSent     bool   // as far as this program's calls tell
	endOfFile   bool   // whether a read has returned 0
	wrote       bool   // whether a write has succeeded
	reset       bool   // whether a call has failed with ECONNRESET or ETIMEDOUT
	unsent      int    // how many bytes of the last write the kernel did not take
	sent        int    // and how many it did
	interrupted string // the call that a signal has ended without a result
	mayEnd      bool   // whether that may have come to end what the program does
	http        exchange
}

// ref refers to a socket as long as it is open.
type ref struct {
	to     *end
	serial int
}

func (own *end) ref() ref { return ref{own, own.serial} }

// end returns the socket, or nil.
func (r ref) end() *end {
	if r.to == nil || r.to.serial != r.serial {
		return nil
	}
	return r.to
}

// exchange is what has passed of HTTP on a connection.
type exchange struct {
	requests   int    // that have come whole
	incomplete string // why the last one is not whole; "" if it is
	responses  int    // that have begun
	endless    bool   // whether the last one does not say how long it is
	closes     bool   // whether it says that the connection ends with it
	unknown    bool   // whether something was cut off, or is not HTTP
	head       bool   // whether the last request was for the head alone, or for a tunnel
}

// thread is one of a program's threads.
type thread struct{ process, id int }

// doing is what a thread has done last.
type doing struct {
	failed   string    // the call that should have made a descriptor
	handled  ref       // the accepted socket on which it has made its last call
	left     ref       // the one of which it was so when it called accept before
	accepted ref       // that it has accepted last
	forked   bool      // whether it has made a child since
	gaveUp   string    // the call that a signal has ended on a connection that it has closed then
	again    int       // how many calls have failed with EAGAIN, each soon after another that has failed
	began    time.Time // when the last call that has failed did
}

// program is what is known of a process.
type program struct {
	thread  int  // that has made its first call
	threads bool // whether another one has made one, too: it may serve what this one has accepted
	waits   bool // whether it has waited for several descriptors at once: it may have several connections at once, too
}

// place is a number that a process has for a descriptor.
type place struct{ process, fd int }

// state is what a Watch knows.
type state struct {
	ends     map[event.Descriptor]*end
	ports    map[uint16]*end         // those that were bound, by port: the last one
	bound    map[netip.AddrPort]*end // and by address
	threads  map[thread]*doing
	programs map[int]*program
	closed   map[place]ref // that were closed: the socket that accept had returned last on one
	pending  pending
	numbered int
	asked    bool // whether the kernel is asked what it holds
	spare    *end // one that was closed, whose memory the next one gets
}

// pending is the last connect that was refused. To an IPv6 address, it is a mistake only if none to IPv4
// follows.
type pending struct {
	to   netip.AddrPort
	by   event.Caller
	text string // what is to be told then
}

const most = 1 << 14 // of what is kept

func newState() state {
	return state{ends: make(map[event.Descriptor]*end), ports: make(map[uint16]*end), bound: make(map[netip.AddrPort]*end), threads: make(map[thread]*doing),
		programs: make(map[int]*program), closed: make(map[place]ref)}
}

// threadOf returns who makes a call.
func threadOf(e *event.Event) thread { return thread{e.Caller.Thread, e.ThreadID()} }

// doing returns what the thread of a call has done.
func (s *state) doing(e *event.Event) *doing {
	t := threadOf(e)
	d := s.threads[t]
	if d == nil {
		if len(s.threads) >= most {
			clear(s.threads)
		}
		d = new(doing)
		s.threads[t] = d
	}
	return d
}

// program returns what is known of the process of a call.
func (s *state) program(of event.Caller) *program {
	p := s.programs[of.Thread]
	if p == nil {
		if len(s.programs) >= most {
			clear(s.programs)
		}
		p = new(program)
		s.programs[of.Thread] = p
	}
	return p
}

// of returns the socket that a call is about, or nil.
func (s *state) of(e *event.Event) *end { return s.ends[e.Descriptor()] }

// make notes a new socket.
func (s *state) make(e *event.Event) *end {
	made := s.spare
	if s.spare = nil; made == nil {
		made = new(end)
	}
	s.numbered++
	*made = end{serial: s.numbered, fd: e.Result, process: e.Caller.Thread}
	if len(s.ends) >= most {
		clear(s.ends)
		clear(s.ports)
		clear(s.bound)
	}
	s.ends[e.Made()] = made
	delete(s.closed, place{e.Caller.Thread, e.Result})
	return made
}

// notes notes what a moment changes.
func (s *state) notes(m *event.Moment) {
	switch m.What {
	case event.Began:
		s.begins(m.Event)
	case event.Returned:
		if m.Event.Failed() {
			s.fails(m.Event)
		} else {
			s.returns(m.Event)
		}
	case event.Changed:
		s.asked = s.asked || !m.Change.Quiet
	case event.Exited:
		for _, socket := range m.Exit.Sockets {
			s.forget(event.Descriptor{Fd: socket})
		}
		if !m.Exit.Lives && m.Exit.Thread == s.pending.by.Thread {
			s.pending = pending{}
		}
	}
}

// begins notes what a call does that begins.
func (s *state) begins(e *event.Event) {
	p := s.program(e.Caller)
	if p.thread == 0 {
		p.thread = e.ThreadID()
	}
	p.threads = p.threads || p.thread != e.ThreadID()
	switch e.Call.Does {
	case event.Closes:
		if own, d := s.of(e), s.doing(e); own != nil && own.accepted {
			if d.gaveUp = own.interrupted; !own.mayEnd { // the close has shown it
				d.gaveUp = ""
			}
		}
	case event.Accepts:
		if own := s.of(e); own != nil {
			own.accepting++
		}
		d := s.doing(e)
		d.gaveUp = ""
		d.left = d.handled
		if left := d.left.end(); left != nil {
			left.leftAt = left.calls
		}
		d.handled, d.accepted = ref{}, ref{}
	case event.Else:
		switch e.Name() {
		case "poll", "ppoll", "select", "_newselect", "pselect6", "epoll_wait", "epoll_pwait", "epoll_pwait2", "epoll_ctl":
			s.program(e.Caller).waits = true
		}
	}
}

// returns notes what a call has done.
func (s *state) returns(e *event.Event) {
	d := s.doing(e)
	d.again = 0
	own := s.of(e)
	if own == nil && e.Call.Does != event.Makes && e.Call.Does != event.Closes {
		s.others(e, d)
		return
	}
	if s.completes(e) {
		own.begun = false
		s.reach(own)
	}
	switch e.Call.Does {
	case event.Makes:
		d.failed = ""
		s.make(e).peerless = true
	case event.Binds:
		own.isBound = true
		s.setAddress(own, wire.Plain(e.Args[1].Addr.AddrPort()))
	case event.Asks:
		if e.Name() == "getsockname" && (own.isBound || own.listens) {
			s.setAddress(own, wire.Plain(e.Args[1].Addr.AddrPort()))
		}
	case event.Listens:
		own.listens, own.backlog = true, e.Args[1].Int
		if at := localOf(e); !own.isBound && at.IsValid() {
			s.setAddress(own, at)
		}
	case event.Accepts:
		d.failed = ""
		own.accepting--
		own.accepts++
		own.last = e.Result
		made := s.make(e)
		made.accepted = true
		d.accepted, d.forked = made.ref(), false
		own.lastMade = made.ref()
	case event.Connects:
		s.connects(own, e)
	case event.ShutsDown:
		own.finSent = own.finSent || e.Args[1].Int != 0
		own.touch(d)
	case event.Closes:
		s.closes(e)
	case event.Else:
		s.others(e, d)
	}
	if own != nil && (e.Moves(event.Reads) || e.Moves(event.Writes)) {
		own.moves(e, d)
	}
}

// localOf is the address that the kernel has given the socket of a call, if that is known.
func localOf(e *event.Event) netip.AddrPort {
	if e.Recorded == nil {
		return netip.AddrPort{}
	}
	return wire.Plain(e.Recorded.Local)
}

// setAddress notes that a socket has an address.
func (s *state) setAddress(own *end, at netip.AddrPort) {
	s.takeAddress(own)
	own.bound = at
	port := at.Port()
	if port == 0 || len(s.bound) >= most {
		return
	}
	if other := s.bound[own.bound]; other != nil && other != own { // SO_REUSEPORT
		other.shares, own.shares = true, true
	}
	s.ports[port], s.bound[own.bound] = own, own
}

// listener returns the socket that listens where a connect is to get, as far as that is known; or nil.
func (s *state) listener(to netip.AddrPort) *end {
	for _, addr := range []netip.Addr{to.Addr(), netip.IPv4Unspecified(), netip.IPv6Unspecified()} {
		if l := s.bound[netip.AddrPortFrom(addr, to.Port())]; l != nil && l.listens {
			return l
		}
	}
	return nil
}

// connects notes that a connect has succeeded, or goes on.
func (s *state) connects(own *end, e *event.Event) {
	own.peerless = false
	own.reaches = wire.Plain(e.Args[1].Addr.AddrPort())
	if refused := s.pending; e.Errno != unix.ECONNREFUSED && own.reaches.Addr().Is4() && own.reaches.Port() == refused.to.Port() && e.Caller.Thread == refused.by.Thread {
		s.pending = pending{}
	}
	own.begun = e.Errno == unix.EINPROGRESS
	if !e.Failed() {
		s.reach(own)
	}
}

// completes reports whether a call shows that a connect is complete that has not waited.
func (s *state) completes(e *event.Event) bool {
	own := s.of(e)
	return own != nil && own.begun && (e.Recorded != nil && e.Recorded.Connected || e.Moves(event.Reads) || e.Moves(event.Writes))
}

// reach notes that a connection has got to where it is taken from a queue, if that is known.
func (s *state) reach(own *end) {
	if l := s.listener(own.reaches); l != nil {
		l.reached++
	}
}

// others notes what a call does that is none of the server's and the client's.
func (s *state) others(e *event.Event, d *doing) {
	switch e.Name() {
	case "fork", "vfork", "clone", "clone3":
		d.forked = d.forked || e.Result > 0
	case "dup", "dup2", "dup3", "fcntl", "fcntl64":
		delete(s.closed, place{e.Caller.Thread, e.Result})
	}
}

// closes notes that a descriptor was closed.
func (s *state) closes(e *event.Event) {
	own := s.of(e)
	if len(s.closed) < most {
		last := ref{}
		if own != nil {
			last = own.lastMade
		}
		s.closed[place{e.Caller.Thread, e.Args[0].Int}] = last
	}
	if !e.Shared {
		s.forget(e.Descriptor())
	} else if own != nil && own.process == e.Caller.Thread {
		own.process = -1 // that one has closed its own descriptor
	}
}

// forget forgets a socket.
func (s *state) forget(fd event.Descriptor) {
	own := s.ends[fd]
	if own == nil {
		return
	}
	delete(s.ends, fd)
	s.takeAddress(own)
	own.serial, s.spare = 0, own
}

// takeAddress notes that a socket does not have its address any more.
func (s *state) takeAddress(own *end) {
	if s.ports[own.bound.Port()] == own {
		delete(s.ports, own.bound.Port())
	}
	if s.bound[own.bound] == own {
		delete(s.bound, own.bound)
	}
}

// fails notes what has failed.
func (s *state) fails(e *event.Event) {
	d := s.doing(e)
	switch {
	case e.IsMadeAgain():
		if own := s.of(e); own != nil && e.Call.Does == event.Accepts {
			own.accepting--
		}
		return
	case e.Call.Does == event.Makes, e.Call.Does == event.Accepts:
		d.failed = e.Name()
		if own := s.of(e); own != nil && e.Call.Does == event.Accepts {
			own.accepting--
		}
	case e.Call.Does == event.Connects && s.of(e) != nil:
		s.connects(s.of(e), e)
	}
	if d.failsAgain(e) {
		d.again++
	}
	d.began = e.Begin
	switch own := s.of(e); {
	case own != nil && e.Errno == unix.EINTR:
		own.interrupted, own.mayEnd = e.Name(), isToEnd(e)
	case own != nil && (e.Errno == unix.ECONNRESET || e.Errno == unix.ETIMEDOUT && e.Call.Does != event.Connects):
		own.reset, own.unsent = true, 0 // nobody takes the rest
	case own != nil && e.Errno == unix.EPIPE:
		own.unsent = 0
	}
}

// touch notes that a call was made on a connection.
func (own *end) touch(d *doing) {
	own.calls++
	own.interrupted = ""
	if own.accepted {
		d.handled = own.ref()
	}
}

// moves notes what a read or a write has moved.
func (own *end) moves(e *event.Event, d *doing) {
	own.touch(d)
	own.peerless = false
	if e.Moves(event.Reads) {
		own.endOfFile = own.endOfFile || e.Result == 0 && e.Args[2].Int > 0 && !e.Peeks()
		if own.accepted {
			own.http.reads(e)
		}
		return
	}
	own.wrote, own.unsent, own.sent = true, 0, 0
	if e.Call.Does == event.Writes && e.Name() != "sendfile" && e.Name() != "sendfile64" && e.Moved() < e.Args[2].Int {
		own.unsent, own.sent = e.Args[2].Int-e.Moved(), e.Moved()
	}
	if own.accepted {
		own.http.writes(e)
	}
}

// reads notes what a server has read.
func (x *exchange) reads(e *event.Event) {
	data := e.Received()
	switch {
	case e.Result == 0 || e.Peeks():
		return
	case e.Cut() || x.incomplete != "": // it is read in parts: what they are together is not known
		x.unknown = true
	}
	x.responses = 0
	x.incomplete, x.requests = "", 0
	for !x.unknown && len(data) > 0 {
		if _, ok := message.RequestParts(data); !ok {
			x.unknown = true
			return
		}
		n, why := message.Whole(data)
		if x.incomplete = why; why != "" {
			return
		}
		x.head = bytes.HasPrefix(data, []byte("HEAD ")) || bytes.HasPrefix(data, []byte("CONNECT "))
		x.requests++
		data = data[n:]
	}
}

// writes notes what a server has written.
func (x *exchange) writes(e *event.Event) {
	status, _, ok := message.ResponseParts(e.Args[1].Data)
	if !ok && x.responses == 0 {
		return
	}
	if ok && status[1].Text[0] == '4' { // it refuses the request, and so need not have all of it
		x.incomplete = ""
	}
	if !ok || e.Cut() { // more of a body: in it, or in what was cut off, other responses may begin
		x.unknown = true
	}
	data, version := e.Args[1].Data, []byte("HTTP/1.")
	x.responses += bytes.Count(data, version)
	x.closes = message.EndsConnection(data) || message.EndsConnection(data[max(0, bytes.LastIndex(data, version)):])
	x.endless = !x.head && !e.Cut() && message.Endless(data)
}
