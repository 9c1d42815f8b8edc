package replay

import (
	"bytes"
	"iter"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/trace/event"
	"lbaws/trace/order"
	"lbaws/trace/strace"
	"lbaws/trace/wire"
)

// moment is one thing that a recording tells: a call begins, a call returns, or a
// program ends.
type moment struct {
	at      time.Time
	step    *step
	event   *event.Event // nil if the program ends
	returns bool
	known   bool // of a call that begins: whether the event has the result too
}

// moments gives the moments of a file in its order.
func (f *file) moments() iter.Seq[moment] {
	return func(yield func(moment) bool) {
		var args [][]byte // room for a call's
		for _, s := range f.steps {
			m := moment{at: f.clock.time(s.at), step: s, returns: s.begins != nil}
			if s.call != nil {
				line := strace.Line{Kind: strace.Call, Text: s.text}
				rest, _ := line.Parse(args[:0])
				args = rest.List
				rest.Unfinished = rest.Unfinished && !m.returns
				m.event, m.known = f.event(s, &rest), !m.returns && !rest.Unfinished
			}
			if !yield(m) {
				return
			}
			if m.known {
				m.at, m.known, m.returns = m.event.Return, false, true
				if !yield(m) {
					return
				}
			}
		}
	}
}

// event returns the event of a step.
func (f *file) event(s *step, rest *strace.Rest) *event.Event {
	e := newEvent(s, rest)
	e.Begin, e.Recorded.Thread, e.Recorded.Others = f.clock.time(s.at), s.thread, true
	switch {
	case s.begins != nil:
		e.Begin, e.Return, e.Recorded.Thread = f.clock.time(s.begins.at), e.Begin, s.begins.thread
	case rest.Unfinished:
		if !order.DrawnInTwo(s.call.does) && !s.waits { // it never returns: the row shows that
			e.Call = &event.Call{Name: e.Call.Name, Waits: true}
		}
	case rest.Took >= 0 || f.clock.kind == strace.NoClock:
		e.Return = e.Begin.Add(max(0, rest.Took))
	default:
		e.Return = event.NoTime(0)
	}
	return e
}

// Calls that do not do what their names say: a read that takes nothing, and a connect that
// ends the connection.
var (
	peeks       = &event.Call{Name: "recv", Waits: true}
	disconnects = &event.Call{Name: "disconnect", Params: event.Connect.Params, Does: event.Disconnects}
)

// newEvent returns the event of a call, without its times. It has a result, if the call has
// returned.
func newEvent(s *step, rest *strace.Rest) *event.Event {
	c := s.call
	r := &event.Recorded{Name: c.name, Note: c.noteOn(s, rest), Resets: s.resets, AtOnce: s.atOnce}
	e := &event.Event{Call: c.does, Shared: s.shared, Recorded: r}
	if r.Begin, r.All = bytes.TrimRight(rest.Args, " "), c.entry == 0; !r.All {
		r.Begin, r.Rest = strace.Cut(rest.Args, c.entry)
	}
	switch {
	case c.does == event.Read && hasFlag(rest, "MSG_PEEK"):
		e.Call, r.Note = peeks, "look at the bytes, and leave them in the buffer"
	case isDisconnect(c, rest):
		e.Call = disconnects
	}
	first, _, _ := bytes.Cut(rest.Args, []byte(","))
	r.Peer, _ = peerInNote(first)
	if s.socket != nil {
		r.Socket, r.Port = s.socket.id, s.socket.port
	}
	if s.made != nil {
		r.Made = s.made.id
	}
	if !rest.Unfinished {
		r.Result, e.Result, e.Took = rest.Result, rest.Value, rest.Took
		if e.Result < 0 {
			e.Result, e.Errno = -1, errno(rest.Errno)
		}
		r.Connected = c.connected(r)
	}
	setArgs(e, rest.List)
	return e
}

// hasFlag reports whether a call that reads or writes has a flag behind its buffer.
func hasFlag(rest *strace.Rest, flag string) bool {
	return len(rest.List) > 2 && slices.ContainsFunc(rest.List[2:], func(arg []byte) bool { return bytes.Contains(arg, []byte(flag)) })
}

// isDisconnect reports whether a connect has no address: it ends the connection that there
// is.
//
// Source: connect(2).
func isDisconnect(c *call, rest *strace.Rest) bool {
	return c.does == event.Connect && len(rest.List) > 1 && bytes.HasPrefix(rest.List[1], []byte("{sa_family=AF_UNSPEC"))
}

// connected reports whether a call shows that a connect is complete that has not waited.
func (c *call) connected(r *event.Recorded) bool {
	has := func(text []byte, part string) bool { return bytes.Contains(text, []byte(part)) }
	switch first, _, _ := bytes.Cut(r.Result, []byte("}")); {
	case c.effect == polls:
		return has(r.Result, "out [") || has(first, "POLLOUT") && !has(first, "POLLERR") && !has(first, "POLLHUP")
	case c.name == "getsockopt":
		return has(r.Begin, "SO_ERROR") && bytes.HasPrefix(r.Rest, []byte("[0]"))
	}
	return false
}

// errno is the number of an error.
func errno(name string) unix.Errno {
	for n := unix.Errno(1); n < 134; n++ {
		if sys.ErrnoName(n) == name {
			return n
		}
	}
	return unix.EINTR // of the kernel's own: ERESTARTSYS, for one
}

// setArgs reads the arguments that the diagram understands.
func setArgs(e *event.Event, args [][]byte) {
	var at [len(e.Args)][]byte // none where there are fewer
	copy(at[:], args)
	e.Args[0].Int = strace.Number(at[0])
	for i, p := range e.Call.Params {
		switch arg := &e.Args[i]; p.Kind {
		case event.Decimal:
			arg.Int = strace.Number(at[i])
		case event.IntPointer:
			arg.Int = strace.Number(bytes.TrimPrefix(at[i], []byte("[")))
		case event.Level, event.Option, event.How:
			arg.Int = strace.Constant(p.Kind, at[i])
		case event.Address, event.PeerAddress:
			addr, ok := strace.ParseSockaddr(at[i])
			if !ok {
				addr, ok = peerInNote(e.Recorded.Result)
			}
			if arg.Addr = new(sys.Sockaddr); ok {
				arg.Addr.Set(addr)
			}
		case event.AddressRoom:
			arg.Addr = e.Args[i-1].Addr
		}
	}
	if e.Call.Does == event.Reads || e.Call.Does == event.Writes {
		setBuffer(e, at[:])
	}
}

// peerInNote reads the peer from what strace -yy writes behind a connected descriptor.
func peerInNote(text []byte) (netip.AddrPort, bool) {
	_, peer, found := bytes.Cut(text, []byte("->"))
	peer, _, closed := bytes.Cut(peer, []byte("]>"))
	if !found || !closed {
		return netip.AddrPort{}, false
	}
	addr, err := wire.ParseAddrPort(string(peer))
	return addr, err == nil
}

// setBuffer reads what was read or written, and how much was to be.
func setBuffer(e *event.Event, at [][]byte) {
	switch e.Recorded.Name {
	case "readv", "writev", "recvmsg", "sendmsg":
		e.Args[1].Data, e.Args[2].Int = vectors(at[1])
	case "sendfile", "sendfile64":
		e.Args[2].Int = strace.Number(at[3])
	default:
		e.Recorded.Whole = true
		if buffer := at[1]; len(buffer) > 0 && buffer[0] == '"' {
			e.Args[1].Data, _, _ = strace.Unquote(make([]byte, 0, len(buffer)), buffer)
		}
	}
}

// vectors reads the buffers of an array of struct iovec, one behind the other up to one
// that is cut off, and the lengths of all together.
func vectors(arg []byte) (data []byte, length int) {
	for mark, more := "iov_base=\"", false; ; {
		_, rest, found := bytes.Cut(arg, []byte(mark))
		if !found {
			return data, length
		}
		if !more {
			data, rest, more = strace.Unquote(data, arg[len(arg)-len(rest)-1:])
		}
		if more {
			mark = "iov_base="
		}
		_, arg, _ = bytes.Cut(rest, []byte("iov_len="))
		length += max(0, strace.Number(arg))
	}
}
