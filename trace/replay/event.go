package replay

import (
	"bytes"
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/trace/event"
	"lbaws/trace/strace"
)

// peekFlags says which argument has the flags of a read that may take nothing.
var peekFlags = map[string]int{"recv": 3, "recvfrom": 3, "recvmsg": 2}

// peeks is such a read.
var peeks = &event.Call{Name: "recv", Waits: true}

// room is what an event needs.
type room struct {
	event    event.Event
	recorded event.Recorded
	addr     sys.Sockaddr
	args     [][]byte
	data     []byte
}

// begin makes the event that of a call that begins, whose arguments are args, and one by
// one in r.args. What it is about is known when they are set.
func (r *room) begin(s *step, c *call, args []byte) *event.Event {
	r.recorded = event.Recorded{Name: c.name, Note: c.note}
	r.event = event.Event{Call: c.does, Shared: s.shared, Recorded: &r.recorded}
	e := &r.event
	if e.Recorded.Begin, e.Recorded.All = bytes.TrimRight(args, " "), c.entry == 0; c.entry > 0 {
		e.Recorded.Begin, e.Recorded.Rest = strace.Cut(args, c.entry)
	}
	if strings.HasPrefix(c.name, "fcntl") && bytes.Contains(args, []byte("F_SETFL")) && bytes.Contains(args, []byte("O_NONBLOCK")) {
		e.Recorded.Note = "no call on this socket waits any more: it fails with EAGAIN instead"
	}
	e.Recorded.Resets = s.resets
	first, _, _ := bytes.Cut(args, []byte(","))
	e.Recorded.Peer, _ = peerInNote(first)
	if s.socket != nil {
		e.Recorded.Socket, e.Recorded.Port = s.socket.id, s.socket.port
	}
	if flags := peekFlags[c.name]; flags > 0 && flags < len(r.args) && bytes.Contains(r.args[flags], []byte("MSG_PEEK")) {
		e.Call, e.Recorded.Note = peeks, "look at the bytes, and leave them in the buffer"
	}
	for i, p := range e.Call.Params {
		switch p.Kind {
		case event.Address, event.PeerAddress, event.AddressRoom:
			r.addr = sys.Sockaddr{}
			e.Args[i].Addr = &r.addr
		}
	}
	return e
}

// finish adds what is known of a call when it has returned: the result.
func (r *room) finish(s *step, rest *strace.Rest) {
	e := &r.event
	e.Recorded.Result, e.Result, e.Took = rest.Result, rest.Value, rest.Took
	if s.made != nil {
		e.Recorded.Made = s.made.id
	}
	if e.Result < 0 {
		e.Result, e.Errno = -1, errno(rest.Errno)
	}
	e.Recorded.Connected = connected(e)
	r.setArgs()
}

// connected reports whether a call shows that a connect is complete that has not waited.
func connected(e *event.Event) bool {
	has := func(text []byte, part string) bool { return bytes.Contains(text, []byte(part)) }
	switch r := e.Recorded; e.Call.Name {
	case "poll", "ppoll":
		first, _, _ := bytes.Cut(r.Result, []byte("}"))
		return has(first, "POLLOUT") && !has(first, "POLLERR") && !has(first, "POLLHUP")
	case "select", "_newselect", "pselect6":
		return has(r.Result, "out [")
	case "getsockopt":
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
func (r *room) setArgs() {
	e := &r.event
	at := func(i int) []byte {
		if i < len(r.args) {
			return r.args[i]
		}
		return nil
	}
	e.Args[0].Int = number(at(0))
	switch e.Call.Name {
	case "setsockopt":
		e.Args[1].Int, e.Args[2].Int = option(at(1), at(2))
		e.Args[3].Int = number(bytes.TrimPrefix(at(3), []byte("[")))
		e.Args[4].Int = number(at(4))
	case "bind", "connect":
		setAddress(e, at(1))
		e.Args[2].Int = number(at(2))
	case "accept", "getsockname":
		setAddress(e, at(1))
	case "listen":
		e.Args[1].Int = number(at(1))
	case "shutdown":
		e.Args[1].Int = how(at(1))
	case "read", "write":
		r.setBuffer(at)
	}
}

// setAddress reads an address, if there is one.
func setAddress(e *event.Event, arg []byte) {
	addr, ok := strace.ParseSockaddr(arg)
	if !ok {
		addr, ok = peerInNote(e.Recorded.Result)
	}
	if ok {
		e.Args[1].Addr.Set(addr)
	}
}

// peerInNote reads the peer from what strace -yy writes behind a connected descriptor.
func peerInNote(text []byte) (netip.AddrPort, bool) {
	_, peer, found := bytes.Cut(text, []byte("->"))
	peer, _, closed := bytes.Cut(peer, []byte("]>"))
	if !found || !closed {
		return netip.AddrPort{}, false
	}
	addr, err := netip.ParseAddrPort(string(peer))
	return addr, err == nil
}

// setBuffer reads what was read or written, and how much was to be.
func (r *room) setBuffer(at func(int) []byte) {
	e := &r.event
	switch name := e.Recorded.Name; name {
	case "readv", "writev", "recvmsg", "sendmsg":
		e.Args[1].Data, e.Args[2].Int = vectors(at(1))
	case "sendfile", "sendfile64":
		e.Args[2].Int = number(at(3))
	default:
		if buffer := at(1); len(buffer) > 0 && buffer[0] == '"' {
			r.data, _, _ = strace.Unquote(r.data[:0], buffer)
			e.Args[1].Data = r.data
		}
		e.Recorded.Whole = true
		e.Args[2].Int = number(at(2))
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
		length += max(0, number(arg))
	}
}

// option is a socket option, as far as the diagram has something to say about it.
func option(level, name []byte) (int, int) {
	option := map[string]int{"SO_REUSEADDR": unix.SO_REUSEADDR, "SO_REUSEPORT": unix.SO_REUSEPORT,
		"SO_SNDBUF": unix.SO_SNDBUF, "SO_RCVBUF": unix.SO_RCVBUF}[string(name)]
	if string(level) != "SOL_SOCKET" || option == 0 {
		return -1, -1
	}
	return unix.SOL_SOCKET, option
}

// how is a direction of shutdown.
func how(arg []byte) int {
	name, _, _ := bytes.Cut(arg, []byte(" "))
	if how, known := map[string]int{"SHUT_RD": unix.SHUT_RD, "SHUT_RDWR": unix.SHUT_RDWR}[string(name)]; known {
		return how
	}
	if n, err := strconv.Atoi(string(arg)); err == nil {
		return n
	}
	return unix.SHUT_WR
}
