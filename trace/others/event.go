package others

import (
	"bytes"
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/trace/event"
	"lbaws/trace/strace"
	"lbaws/trace/wire"
)

// Calls that do not do what their names say: a read that takes nothing, one that may wait for
// more than there is, and a connect that ends the connection. strace writes the flags of a
// read that waits when it has returned.
//
// Source: recv(2), connect(2).
var (
	peeks       = &event.Call{Name: "recv", Waits: true}
	disconnects = &event.Call{Name: "disconnect", Params: event.Connect.Params, Does: event.Disconnects}
	receives    = func() *event.Call {
		c := *event.Read
		c.Until = "It returns as soon as there is any byte, however many it asks for; with MSG_WAITALL, it waits for all of them."
		return &c
	}()
)

// About is what is known of a call besides its text: see event.Recorded.
type About struct {
	Socket, Made           int  // 0 is none
	Into                   bool // of splice: whether the socket is what the bytes go into
	Meets                  int  // 0 is not known
	Port                   uint16
	Shared, Resets, AtOnce bool
	Peeks, Fills, Unclear  bool
	NoSocket               bool
	Unread                 *int
	Signal                 string
	Handled, Again         bool
}

// Event returns the event of a call, without its times. It has a result, if the call has
// returned. Its text is rest's, and it uses r for what else it has.
func (c *Call) Event(r *event.Recorded, rest *strace.Rest, about About) event.Event {
	*r = event.Recorded{Name: c.Name, Note: c.noteOn(about, rest), Resets: about.Resets, AtOnce: about.AtOnce,
		Socket: about.Socket, Port: about.Port, Made: about.Made, Meets: about.Meets, Fills: about.Fills, Unclear: about.Unclear, NoSocket: about.NoSocket, Unread: about.Unread,
		Signal: about.Signal, Handled: about.Handled, Again: about.Again}
	e := event.Event{Call: c.Does, Shared: about.Shared, Recorded: r}
	if r.Begin, r.All = bytes.TrimRight(rest.Args, " "), c.entry == 0; !r.All {
		r.Begin, r.Rest = strace.Cut(rest.Args, c.entry)
	}
	switch {
	case c.Does == event.Read && (about.Peeks || HasFlag(rest, "MSG_PEEK")):
		r.Peeks = true
		e.Call, r.Note = peeks, "look at the bytes, and leave them in the buffer"
	case c.Does == event.Read && HasFlag(rest, "MSG_ERRQUEUE"):
		e.Call, r.Note = peeks, "take a message of the kernel's own, and no bytes of the peer's"
	case c.Does == event.Read && strings.HasPrefix(c.Name, "recv"):
		e.Call = receives
	case IsDisconnect(c, rest):
		e.Call = disconnects
	}
	r.To = Opens(c, rest)
	r.NoSignal = c.Does == event.Write && HasFlag(rest, "MSG_NOSIGNAL")
	first, _, _ := bytes.Cut(rest.Args, []byte(","))
	r.Peer, _ = peerInNote(first)
	if !rest.Unfinished {
		r.Result, e.Result, e.Took = rest.Result, rest.Value, rest.Took
		if strings.HasSuffix(c.Name, "mmsg") {
			r.Bytes = Moved(c, rest)
		}
		if e.Result < 0 {
			e.Result, e.Errno = -1, errnoOf(rest.Errno)
		}
		r.Connected, r.Told = c.connected(r), c.told(r)
	}
	setArgs(&e, rest.List)
	if c.Effect == Splices && len(rest.List) > 4 {
		r.Moves, e.Args[2].Int = event.Reads, strace.Number(rest.List[4])
		if about.Into {
			r.Moves = event.Writes
		}
	}
	return e
}

// Moved is how many bytes a call has read or written. The result of sendmmsg and recvmmsg is how
// many messages these were in.
func Moved(c *Call, rest *strace.Rest) (n int) {
	if !strings.HasSuffix(c.Name, "mmsg") {
		return rest.Value
	}
	_, text, found := bytes.Cut(rest.Args, []byte("msg_len="))
	for i := 0; found && i < rest.Value; i++ {
		n += max(0, strace.Number(text))
		_, text, found = bytes.Cut(text, []byte("msg_len="))
	}
	return n
}

// HasFlag reports whether a call that reads or writes has a flag behind its buffer.
func HasFlag(rest *strace.Rest, flag string) bool {
	return len(rest.List) > 2 && slices.ContainsFunc(rest.List[2:], func(arg []byte) bool { return bytes.Contains(arg, []byte(flag)) })
}

// Opens returns the address to which a write connects before it writes, if it does.
//
// Source: tcp(7), TCP_FASTOPEN.
func Opens(c *Call, rest *strace.Rest) (to netip.AddrPort) {
	if c.Does == event.Write && HasFlag(rest, "MSG_FASTOPEN") && len(rest.List) > 4 {
		to, _ = strace.ParseSockaddr(rest.List[4])
	}
	return to
}

// IsDisconnect reports whether a connect has no address: it ends the connection that there
// is.
//
// Source: connect(2).
func IsDisconnect(c *Call, rest *strace.Rest) bool {
	return c.Does == event.Connect && len(rest.List) > 1 && bytes.HasPrefix(rest.List[1], []byte("{sa_family=AF_UNSPEC"))
}

// connected reports whether a call shows that a connect is complete that has not waited.
func (c *Call) connected(r *event.Recorded) bool {
	has := func(text []byte, part string) bool { return bytes.Contains(text, []byte(part)) }
	switch first, _, _ := bytes.Cut(r.Result, []byte("}")); {
	case c.Effect == Polls:
		return has(first, "POLLOUT") && !has(first, "POLLERR") && !has(first, "POLLHUP") // select does not tell
	case c.Name == "getsockopt":
		return has(r.Begin, "SO_ERROR") && bytes.HasPrefix(r.Rest, []byte("[0]"))
	}
	return false
}

// told returns the error that a question for SO_ERROR has been told, and taken; or 0.
func (c *Call) told(r *event.Recorded) unix.Errno {
	if c.Name != "getsockopt" || !bytes.Contains(r.Begin, []byte("SO_ERROR")) || !bytes.HasPrefix(r.Rest, []byte("[E")) {
		return 0
	}
	name, _, _ := bytes.Cut(r.Rest[1:], []byte("]"))
	return errnoOf(string(name))
}

// errnoOf is the number of an error.
func errnoOf(name string) unix.Errno {
	return cmp.Or(strace.Errno(name), unix.EINTR) // of the kernel's own: ERESTARTSYS, for one
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
	if e.Call.Does == event.Reads || e.Call.Does == event.Writes || e.Peeks() {
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
	case "readv", "writev", "recvmsg", "sendmsg", "recvmmsg", "sendmmsg":
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
