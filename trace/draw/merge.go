package draw

import (
	"bytes"
	"time"

	"golang.org/x/sys/unix"

	"lbaws/trace"
	"lbaws/trace/recording"
)

// merge puts the moments of several files in one order: by their times, if all have
// them, and by what must come first: what is read was written before, a connection that
// accept returns was begun by connect, and that is answered after listen. Of files
// without times, each goes on until it must wait for another.
type merge struct {
	streams []*stream
	heads   []*moment
	current int
	timed   bool
	causes  causes
}

func newMerge(files []*file) *merge {
	m := &merge{timed: true, causes: newCauses(files)}
	for _, f := range files {
		s := newStream(f)
		m.streams = append(m.streams, s)
		m.heads = append(m.heads, s.take())
		m.timed = m.timed && f.clock.kind == files[0].clock.kind && (f.clock.kind == recording.Epoch || f.clock.kind == recording.Midnight)
	}
	for i, f := range files { // the server begins
		if f.steps.count > 0 && f.steps.at(0).process.serves {
			m.current = i
			break
		}
	}
	return m
}

// take returns the next moment; or nil, at the end.
func (m *merge) take() *moment {
	if len(m.streams) == 1 { // its order is the file's
		head := m.heads[0]
		m.heads[0] = m.streams[0].take()
		return head
	}
	chosen := m.choose(func(head *moment) bool { return m.causes.ready(head) && (m.timed || head.event != nil) })
	if chosen < 0 { // a program ends as late as it can, if nobody knows when
		chosen = m.choose(m.causes.ready)
	}
	if head := m.heads[m.current]; head != nil && head.returns && head.event != nil && neverWaits(head.event.Errno) {
		chosen = m.current // it has returned before anything else happened
	}
	if chosen < 0 {
		chosen = m.choose(func(*moment) bool { return true }) // the files do not fit together
	}
	if chosen < 0 {
		return nil
	}
	head := m.heads[chosen]
	m.causes.note(head)
	m.current, m.heads[chosen] = chosen, m.streams[chosen].take()
	return head
}

// read is how many bytes of all files have been read.
func (m *merge) read() (n int) {
	for _, s := range m.streams {
		if s.now != nil {
			n += s.now.read
		}
	}
	return n
}

// neverWaits reports whether an error is that of a call that has not waited.
func neverWaits(errno unix.Errno) bool { return errno == unix.EAGAIN || errno == unix.EINPROGRESS }

// choose returns which file goes on, of those whose next moment may come; -1 if none can.
func (m *merge) choose(may func(*moment) bool) int {
	chosen := -1
	var earliest time.Time
	for i := range m.heads {
		i = (m.current + i) % len(m.heads)
		head := m.heads[i]
		if head == nil || !may(head) {
			continue
		}
		if !m.timed {
			return i
		}
		at := head.at
		if head.returns && !trace.HasTime(at) {
			at = head.event.Begin // it is not known when it has returned
		}
		if chosen < 0 || at.Before(earliest) {
			chosen, earliest = i, at
		}
	}
	return chosen
}

// causes is what has happened so far, as far as other moments wait for it.
type causes struct {
	ports   map[uint16]*port
	sockets map[int]*end
}

// port is one on which a server listens.
type port struct {
	servers, clients bool // whether the files have them
	listens          bool
	waiting          []*end // connections that accept has not returned, by their clients' ends
}

// end is one end of a connection.
type end struct {
	port          *port
	peer          *end
	written, read int  // bytes
	finished      bool // whether nothing more will be written
	connects      bool // whether it is the client's
}

func newCauses(files []*file) causes {
	c := causes{ports: make(map[uint16]*port), sockets: make(map[int]*end)}
	if len(files) == 1 {
		return c
	}
	for _, f := range files {
		s := newStream(f)
		for m := s.take(); m != nil; m = s.take() {
			if m.event == nil || m.returns {
				continue
			}
			switch m.event.Call.Name {
			case "bind":
				c.at(m.event).servers = true
			case "connect":
				c.at(m.event).clients = true
			}
		}
	}
	return c
}

// at is the port of the address that a call is given.
func (c *causes) at(e *trace.Event) *port {
	number := e.Args[1].Addr.AddrPort().Port()
	if c.ports[number] == nil {
		c.ports[number] = new(port)
	}
	return c.ports[number]
}

// of is the end that a call is about.
func (c *causes) of(e *trace.Event) *end {
	id := e.Recorded.Socket
	if c.sockets[id] == nil {
		c.sockets[id] = &end{port: new(port)}
	}
	return c.sockets[id]
}

// ready reports whether what a moment needs has happened.
func (c *causes) ready(m *moment) bool {
	if m.event == nil {
		return true
	}
	e, end := m.event, c.of(m.event)
	switch name := e.Call.Name; {
	case name == "connect" && (m.known || m.returns):
		p := c.at(e)
		return !p.servers || p.listens || e.Result < 0 && e.Errno != unix.EINPROGRESS
	case !m.returns || e.Result < 0:
	case name == "accept":
		return !end.port.clients || len(end.port.waiting) > 0
	case name == "read", bytes.Contains(e.Recorded.Result, []byte("POLLIN")):
		return end.canRead(e)
	}
	return true
}

// canRead reports whether what a call says that it has read, or could read, was sent.
func (end *end) canRead(e *trace.Event) bool {
	switch peer := end.peer; {
	case peer == nil:
		return !end.connects || !end.port.servers // or else accept has not returned the connection
	case e.Call.Name != "read":
		return peer.written > end.read || peer.finished
	case e.Result > 0:
		return peer.written >= end.read+e.Result
	default:
		return peer.finished
	}
}

// note notes what a moment has done.
func (c *causes) note(m *moment) {
	for _, s := range m.ended {
		if end := c.sockets[s.id]; end != nil {
			end.finished = true
		}
	}
	if m.event == nil {
		return
	}
	e, end := m.event, c.of(m.event)
	switch e.Call.Name {
	case "bind":
		end.port = c.at(e)
	case "listen":
		end.port.listens = true
	case "connect":
		if !m.returns {
			end.port, end.connects = c.at(e), true
			end.port.waiting = append(end.port.waiting, end)
		}
	case "accept":
		if m.returns && e.Result >= 0 {
			c.accept(e, end.port)
		}
	case "read":
		if m.returns && e.Result > 0 {
			end.read += e.Result
		}
	case "write":
		if m.known || m.returns && !m.counted { // what a call that has not returned writes is counted late
			end.written += max(0, e.Result)
		}
	case "shutdown":
		end.finished = end.finished || e.Args[1].Int != unix.SHUT_RD
	case "close":
		end.finished = end.finished || !e.Shared
	}
}

// accept makes a connection of the ends of the call that has returned it and the oldest
// one that waits.
func (c *causes) accept(e *trace.Event, p *port) {
	accepted := &end{port: p}
	c.sockets[e.Recorded.Made] = accepted
	if len(p.waiting) == 0 {
		return
	}
	client := p.waiting[0]
	p.waiting = p.waiting[1:]
	accepted.peer, client.peer = client, accepted
}
