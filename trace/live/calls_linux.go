package live

import (
	"bytes"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"lbaws/sys/ptrace"
	"lbaws/trace/event"
	"lbaws/trace/live/buffers"
	"lbaws/trace/live/source"
	"lbaws/trace/others"
	"lbaws/trace/sockets"
	"lbaws/trace/strace"
	"lbaws/trace/strace/spell"
)

// call is a call of a program that is being made.
type call struct {
	spell.Call
	does   *others.Call
	of     *process
	thread *ptrace.Thread
	at     time.Time
	until  time.Time    // when it returned; the zero time until then
	place  source.Place // that makes it; the zero Place if that is not known
	text   []byte       // the arguments that are known when it begins
	data   []byte       // that it is given to write, or its beginning
	about  others.About

	socket   *socket         // that it is about; nil if it is about several, or none
	replaced *socket         // to which the descriptor led that dup2 is given
	lost     *socket         // of one whose descriptor leads to no socket: to which it has led; or nil
	before   map[int]*socket // those that the process had before a call that may close some
	preview  event.Event     // what is known before it is made, for a person who directs
	told     bool            // whether the trace was told that it begins
	event    *event.Event    // as the trace has it
}

// callOf returns the call that a thread is about to make; nil if it is not about a TCP socket.
func (w *watcher) callOf(t *ptrace.Thread) *call {
	c := w.newCall(t)
	if !c.Begin(t.Call.Arch, t.Call.Number, t.Call.Args, t) {
		return nil
	}
	if c.does = others.Named(c.Name); c.does == nil {
		return nil
	}
	if !w.concerns(c) && !w.mistakes(c) {
		w.noteClosing(c)
		return nil
	}
	if len(c.text) == 0 {
		c.text = c.AppendBegin(c.text, t, w.limit)
	}
	w.setPlace(c)
	return c
}

// newCall returns a call of a thread to fill in: mostly the one before, whose memory it uses
// again. What is held back still refers to that.
func (w *watcher) newCall(t *ptrace.Thread) *call {
	c := w.calls[t]
	if c == nil {
		c = new(call)
		w.calls[t] = c
	} else if w.holds {
		c = &call{Call: c.Call}
		w.calls[t] = c
	}
	*c = call{Call: c.Call, thread: t, of: w.process(t.Process), text: c.text[:0]}
	return c
}

// begin notes, and tells the trace, that a call begins.
func (w *watcher) begin(c *call) {
	w.tellRing(c.of)
	w.noteBeginning(c)
	w.noteClosing(c)
	w.begun[c.thread] = c
	c.at = time.Now() // to open a capture takes a while
	if s := c.socket; c.does.Effect == event.Closes && s != nil && s.shared {
		if s.passed { // the kernel says afterwards whether it was the last one
			w.trace.Look()
			return
		}
		c.about.Shared = w.count(s) > s.closings
	}
	if c.does.Effect == event.Closes {
		w.askUnread(c)
	}
	w.tellBeginning(c)
}

// concerns reports whether a call is about a TCP socket, and notes about which one.
func (w *watcher) concerns(c *call) bool {
	fd := func(i int) *socket { return w.at(c.thread.ID, int(int32(c.Args[i]))) }
	switch c.does.Effect {
	case event.Makes:
		return isTCP(c.Args)
	case others.Forks:
		flags := buffers.CloneFlags(&c.Call, c.thread)
		w.shares = w.shares || flags&unix.CLONE_FILES != 0
		if flags&unix.CLONE_THREAD == 0 {
			c.before = w.descriptors(c.thread.ID)
		}
		return len(c.before) > 0
	case others.Execs:
		c.before = w.descriptors(c.thread.ID)
		return len(c.before) > 0
	case others.ClosesSome:
		first, last := uint32(c.Args[0]), uint32(c.Args[1])
		if c.Args[2]&unix.CLOSE_RANGE_CLOEXEC == 0 {
			c.before = w.descriptors(c.thread.ID)
		}
		for fd := range c.before {
			if uint32(fd) < first || uint32(fd) > last {
				delete(c.before, fd)
			}
		}
		return len(c.before) > 0
	case others.Adds:
		if c.socket = fd(2); c.socket != nil {
			c.of.epolls[int(int32(c.Args[0]))] = true
		}
	case others.Epolls:
		return w.waitsForTCP(c.thread, c.of, int(int32(c.Args[0])))
	case others.Splices:
		if c.socket = fd(0); c.socket == nil {
			c.socket, c.about.Into = fd(2), true
		}
	case others.Replaces:
		c.socket, c.replaced = fd(0), fd(1)
		return c.socket != nil || c.replaced != nil
	case others.Polls:
		c.text = c.AppendBegin(c.text, c.thread, w.limit)
		for listed := range others.Listed(c.text) {
			if c.socket = w.at(c.thread.ID, listed); c.socket != nil {
				break
			}
		}
	default:
		if c.socket = fd(0); c.socket == nil && buffers.PassesDescriptors(&c.Call, c.thread) {
			w.pass(w.descriptors(c.thread.ID))
		}
	}
	return c.socket != nil
}

// isTCP reports whether socket is given what makes a TCP socket. Multipath TCP is TCP as far
// as a program sees.
func isTCP(args [6]uint64) bool {
	const typeMask = 0xf
	inet := args[0] == unix.AF_INET || args[0] == unix.AF_INET6
	return inet && args[1]&typeMask == unix.SOCK_STREAM && slices.Contains([]uint64{unix.IPPROTO_IP, unix.IPPROTO_TCP, unix.IPPROTO_MPTCP}, args[2])
}

// waitsForTCP reports whether an epoll descriptor waits for a TCP socket. It may have been
// made before the program was followed.
//
// Source: proc_pid_fdinfo(5).
func (w *watcher) waitsForTCP(t *ptrace.Thread, p *process, fd int) bool {
	waits, known := p.epolls[fd]
	if !known {
		for target := range w.files.Epolled(t.ID, fd) {
			waits = waits || w.at(t.ID, target) != nil
		}
		p.epolls[fd] = waits
	}
	return waits
}

// noteBeginning notes what a call does that begins.
func (w *watcher) noteBeginning(c *call) {
	s := c.socket
	if c.about.NoSocket {
		c.setAbout()
		return
	}
	switch c.does.Effect {
	case others.Forks:
		w.share(c.before)
	case event.Sets:
		if c.Args[1] == unix.SOL_SOCKET && c.Args[2] == unix.SO_LINGER {
			s.resets = bytes.Contains(c.text, []byte("l_onoff=1, l_linger=0"))
		}
	case event.Binds:
		if addr, ok := c.address(); ok {
			s.port = addr.Port()
			c.of.serves = c.of.serves || s.port != 0
		}
	case event.Listens, event.Accepts:
		if s.role == clients { // it fails
			break
		}
		s.role, c.of.serves, c.of.listened = servers, true, c.of.listened || c.does.Effect == event.Accepts // or a parent has
		if w.listensAt(c.of, s.ends.local); c.does.Effect == event.Listens {
			w.serves(c)
		}
	case event.Connects:
		if addr, ok := c.address(); ok && s.role != servers {
			s.role, s.port, c.of.connects = clients, addr.Port(), true
			if w.private { // whoever listens there, or nobody
				w.trace.Serves(addr)
			}
			w.reaches(c.of, addr)
		}
	case event.Closes:
		s.closings++
		if s.shared && !s.ends.remote.IsValid() {
			sockets.Borrow(w.ThreadOf(c.thread.Process), int(int32(c.Args[0])), func(fd int) { s.ends = endsOf(fd) })
		}
		delete(c.of.epolls, int(int32(c.Args[0])))
	}
	c.setAbout()
}

// setAbout sets what is known of a call besides its text.
func (c *call) setAbout() {
	if s := c.socket; s != nil {
		c.about.Socket, c.about.Port, c.about.Resets = int(s.inode), s.port, s.resets
		c.about.AtOnce = s.atOnce || c.hasFlag(unix.MSG_DONTWAIT)
		c.about.Peeks, c.about.Fills = c.hasFlag(unix.MSG_PEEK), c.hasFlag(unix.MSG_WAITALL)
	}
}

// tellBeginning tells the trace that a call begins.
func (w *watcher) tellBeginning(c *call) {
	c.told = true
	e, err := w.beginning(c)
	if err != nil {
		return
	}
	if w.setBuffer(&e, c, 0); w.holdsBack() {
		w.holdBeginning(c, e)
		return
	}
	w.complete(&e, c)
	c.event = w.trace.Began(e)
}

// holdBeginning tells the trace later that a call begins.
func (w *watcher) holdBeginning(c *call, e event.Event) {
	w.tell(func() {
		w.complete(&e, c)
		c.event = w.trace.Began(e)
	})
}

// holdReturn tells the trace later that a call has returned.
func (w *watcher) holdReturn(c *call, e event.Event) {
	w.tell(func() {
		w.complete(&e, c)
		w.trace.Returned(c.event, e)
	})
}

// beginning returns the event of a call that begins.
func (w *watcher) beginning(c *call) (e event.Event, err error) {
	d := w.draft(&w.begins)
	line := strace.Line{Kind: strace.Call, Text: append(append(d.text[:0], c.text...), " <unfinished ...>"...)}
	rest, err := line.Parse(d.args[:0])
	if d.args = rest.List; err != nil {
		return e, err
	}
	e = c.does.Event(&d.recorded, &rest, c.about)
	if e.Begin = c.at; c.socket != nil {
		e.Recorded.Peer = c.socket.ends.remote
	}
	return e, nil
}

// draft is what the event of a call is made in.
type draft struct {
	recorded event.Recorded
	text     [1 << 10]byte // mostly enough
	args     [][]byte
}

// draft returns what the event of a call is to be made in: mostly d, as the one before, of which
// the trace has a copy. What is held back still refers to that.
func (w *watcher) draft(d *draft) *draft {
	if w.holds || w.person != nil {
		return new(draft)
	}
	return d
}

// eventOf returns the event of a call that is held before it is made.
func (w *watcher) eventOf(c *call) event.Event {
	c.setAbout()
	e, err := w.beginning(c)
	if err != nil {
		return event.Event{Call: c.does.Does, Recorded: &event.Recorded{Name: c.Name}}
	}
	w.setBuffer(&e, c, 0)
	w.complete(&e, c)
	if e.Recorded.Peeks || c.does.Effect == event.Reads || c.does.Effect == event.Writes {
		e.Args[2].Int = buffers.Room(&c.Call, c.thread)
	}
	return e
}

// returns takes the return of a call. Of one that a signal has interrupted, the next stop says what
// became of it.
func (w *watcher) returns(t *ptrace.Thread) {
	c := w.begun[t]
	if c == nil {
		if t.Result >= 0 && makesRing(t) {
			w.noteRing(w.process(t.Process))
		}
		return
	}
	c.until = time.Now()
	if t.AwaitsSignal, t.Signal = c.isInterrupted(), 0; !t.AwaitsSignal {
		w.tellReturn(c)
	}
}

// tellReturn notes, and tells the trace, that a call has returned.
func (w *watcher) tellReturn(c *call) {
	t := c.thread
	delete(w.begun, t)
	w.noteClosing(c)
	d := w.draft(&w.returned)
	text := append(c.AppendRest(append(d.text[:0], c.text...), t.Result, t, w.limit), ") = "...)
	line := strace.Line{Kind: strace.Call, Text: c.AppendResult(text, t.Result, t, w.limit)}
	rest, err := line.Parse(d.args[:0])
	if d.args = rest.List; err != nil {
		return
	}
	w.noteReturn(c, &rest)
	if !c.told {
		w.tellBeginning(c)
	}
	e := c.does.Event(&d.recorded, &rest, c.about)
	if e.Recorded.All && len(rest.Args) > len(c.text) { // of clone, strace writes an argument later than others
		e.Recorded.Rest = rest.Args[len(c.text):]
	}
	e.Begin, e.Return = c.at, c.until
	w.setAddresses(&e, c)
	w.setBuffer(&e, c, rest.Value)
	if w.holdsBack() {
		w.holdReturn(c, e)
	} else {
		w.complete(&e, c)
		w.trace.Returned(c.event, e)
	}
	w.tellClosed(c)
	if w.person != nil {
		w.person.returned(c, &e)
	}
}
