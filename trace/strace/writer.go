package strace

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/trace/event"
)

// Writer writes each call as strace(1) does, character for character:
//
//	accept(3, {sa_family=AF_INET, sin_port=htons(52044), sin_addr=inet_addr("127.0.0.1")}, [112 => 16]) = 4
//
// As with strace, the arguments that the program gives are written when the
// call begins, and the rest when it returns. A call that another thread makes
// in the meantime cuts the line in two, as strace -f cuts it: "<unfinished
// ...>" and "<... accept resumed>". If threads have descriptors of their own, each
// line begins with the number of its thread, as with strace -f -o.
//
// Source: strace(1); the sources of strace 6.1.
type Writer struct {
	Limit int // how many bytes of a buffer are shown: strace's -s

	open   int // the number of the call whose line is the last of the output and not ended; 0 if there is none
	column int // how long that line is, in bytes
}

// resultColumn is where strace writes the equals sign, if the call leaves room:
// strace's -a.
const resultColumn = 40

// Append appends what strace writes at a moment.
func (s *Writer) Append(b []byte, m *event.Moment) []byte {
	switch m.What {
	case event.Began:
		return s.began(b, m.Event)
	case event.Returned:
		return s.returned(b, m.Event)
	case event.Exited:
		return s.exited(b, m.Exit)
	case event.Ended: // a call that has not returned never will
		return s.appendUnfinished(b)
	}
	return b
}

// began appends the call's name and the arguments that it was given.
func (s *Writer) began(b []byte, e *event.Event) []byte {
	b = s.appendUnfinished(b)
	start := len(b)
	b = appendThread(b, e.ThreadID())
	b = s.AppendBegin(b, e)
	s.open, s.column = e.Number, len(b)-start
	return b
}

// returned appends the rest of the call's line.
func (s *Writer) returned(b []byte, e *event.Event) []byte {
	if s.open != e.Number {
		b = s.appendUnfinished(b)
		start := len(b)
		b = appendThread(b, e.ThreadID())
		b = append(b, "<... "...)
		b = append(b, e.Name()...)
		b = append(b, " resumed>"...)
		s.column = len(b) - start
	}
	b = s.AppendRest(b, e, s.column)
	s.open = 0
	return append(b, '\n')
}

// exited appends what strace writes of a thread that ends.
func (s *Writer) exited(b []byte, e *event.Exit) []byte {
	b = s.appendUnfinished(b)
	b = appendThread(b, e.Thread)
	how := e.How
	if how == "" {
		how = "exited with 0"
	}
	return fmt.Appendf(b, "+++ %s +++\n", how)
}

// appendThread appends who makes a call, as strace -f -o does.
func appendThread(b []byte, thread int) []byte {
	if thread == 0 {
		return b
	}
	return fmt.Appendf(b, "%-5d ", thread)
}

// appendUnfinished ends the line of a call that has not returned.
func (s *Writer) appendUnfinished(b []byte) []byte {
	if s.open == 0 {
		return b
	}
	s.open = 0
	return append(b, " <unfinished ...>\n"...)
}

// AppendBegin appends the part of the line that is known when a call begins.
func (s *Writer) AppendBegin(b []byte, e *event.Event) []byte {
	b = append(b, e.Name()...)
	b = append(b, '(')
	if e.Recorded != nil {
		return append(b, e.Recorded.Begin...)
	}
	return s.appendArgs(b, e, 0, e.Call.AtEntry())
}

// AppendRest appends the part that is known when it returns, to a line of
// which column bytes are written. They need not be in b any more.
func (s *Writer) AppendRest(b []byte, e *event.Event, column int) []byte {
	start := len(b) - column
	if e.Recorded != nil {
		b = append(b, e.Recorded.Rest...)
	} else {
		b = s.appendArgs(b, e, e.Call.AtEntry(), len(e.Call.Params))
	}
	b = append(b, ") "...)
	for len(b)-start < resultColumn {
		b = append(b, ' ')
	}
	b = append(b, "= "...)
	return AppendResult(b, e)
}

// AppendResult appends what the call returned: a number, or -1 with the error's
// name and message.
func AppendResult(b []byte, e *event.Event) []byte {
	if e.Recorded != nil {
		return append(b, e.Recorded.Result...)
	}
	b = strconv.AppendInt(b, int64(e.Result), 10)
	if e.Errno == 0 {
		return b
	}
	message := e.Errno.Error() // the C library's, but for its capital letter
	return fmt.Appendf(b, " %s (%s%s)", sys.ErrnoName(e.Errno), strings.ToUpper(message[:1]), message[1:])
}

// appendArgs appends the arguments from number from on and below number to,
// with the comma that stands after each but the call's last.
func (s *Writer) appendArgs(b []byte, e *event.Event, from, to int) []byte {
	for i := from; i < to; i++ {
		b = Kinds[e.Call.Params[i].Kind](b, &e.Args[i], e, s.Limit)
		if i+1 < len(e.Call.Params) {
			b = append(b, ", "...)
		}
	}
	return b
}

// Kinds has, for each kind of argument, what appends it.
var Kinds = [...]func(b []byte, a *event.Arg, e *event.Event, limit int) []byte{
	event.Decimal:     appendDecimal,
	event.Domain:      domains.append,
	event.SocketType:  socketTypes.append,
	event.Protocol:    protocols.append,
	event.Level:       levels.append,
	event.Option:      AppendOption,
	event.IntPointer:  appendIntPointer,
	event.How:         directions.append,
	event.Duration:    appendDuration,
	event.Null:        appendNull,
	event.Outgoing:    appendOutgoing,
	event.Address:     appendAddress,
	event.Incoming:    appendIncoming,
	event.PeerAddress: appendPeerAddress,
	event.AddressRoom: appendAddressRoom,
}

func appendDecimal(b []byte, a *event.Arg, _ *event.Event, _ int) []byte {
	return strconv.AppendInt(b, int64(a.Int), 10)
}

// AppendOption appends an option's name: the same number is another option on
// another level.
func AppendOption(b []byte, a *event.Arg, e *event.Event, limit int) []byte {
	switch e.Args[1].Int {
	case unix.SOL_SOCKET:
		return socketOptions.append(b, a, e, limit)
	case unix.IPPROTO_TCP:
		return tcpOptions.append(b, a, e, limit)
	}
	return appendDecimal(b, a, e, limit)
}

func appendIntPointer(b []byte, a *event.Arg, _ *event.Event, _ int) []byte {
	b = append(b, '[')
	b = strconv.AppendInt(b, int64(a.Int), 10)
	return append(b, ']')
}

// appendDuration appends a struct timespec.
func appendDuration(b []byte, a *event.Arg, _ *event.Event, _ int) []byte {
	d := time.Duration(a.Int)
	return fmt.Appendf(b, "{tv_sec=%d, tv_nsec=%d}", d/time.Second, d%time.Second)
}

func appendNull(b []byte, _ *event.Arg, _ *event.Event, _ int) []byte {
	return append(b, "NULL"...)
}

func appendOutgoing(b []byte, a *event.Arg, _ *event.Event, limit int) []byte {
	return AppendQuoted(b, a.Data, limit)
}

// appendIncoming appends what read got. When it failed there is nothing to
// show but where the buffer is.
func appendIncoming(b []byte, a *event.Arg, e *event.Event, limit int) []byte {
	if e.Failed() {
		return appendPointer(b, address(a.Data))
	}
	return AppendQuoted(b, e.Received(), limit)
}

func appendPeerAddress(b []byte, a *event.Arg, e *event.Event, limit int) []byte {
	if e.Failed() {
		return appendPointer(b, a.Addr.Pointer())
	}
	return appendAddress(b, a, e, limit)
}

// appendAddressRoom appends the length that the program offered for an address
// and the length that the kernel used: a value-result argument.
func appendAddressRoom(b []byte, a *event.Arg, e *event.Event, _ int) []byte {
	b = append(b, '[')
	b = strconv.AppendInt(b, sys.SockaddrRoom, 10)
	if !e.Failed() && a.Addr.Len() != sys.SockaddrRoom {
		b = append(b, " => "...)
		b = strconv.AppendInt(b, int64(a.Addr.Len()), 10)
	}
	return append(b, ']')
}

// appendPointer appends a place in memory; "?" where it is not known.
func appendPointer(b []byte, p uintptr) []byte {
	if p == 0 {
		return append(b, '?')
	}
	b = append(b, "0x"...)
	return strconv.AppendUint(b, uint64(p), 16)
}

// address is where in memory a buffer is.
func address(p []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(p))) }

// appendAddress appends a struct sockaddr with the names of its fields.
func appendAddress(b []byte, a *event.Arg, e *event.Event, _ int) []byte {
	addr := a.Addr.AddrPort()
	switch a.Addr.Family() {
	case unix.AF_INET:
		b = append(b, "{sa_family=AF_INET, sin_port=htons("...)
		b = strconv.AppendUint(b, uint64(addr.Port()), 10)
		b = append(b, "), sin_addr=inet_addr(\""...)
		b = addr.Addr().AppendTo(b)
		return append(b, "\")}"...)
	case unix.AF_INET6:
		return fmt.Appendf(b, "{sa_family=AF_INET6, sin6_port=htons(%d), sin6_flowinfo=htonl(%d), inet_pton(AF_INET6, \"%s\", &sin6_addr), sin6_scope_id=%s}",
			addr.Port(), a.Addr.Flowinfo(), ipv6(addr.Addr()), scope(a.Addr, e.Args[0].Int))
	}
	return append(b, "{sa_family=AF_UNSPEC}"...)
}

// scope is an IPv6 address's scope: of a link-local address the name of the interface,
// which the kernel is asked for on the socket fd.
func scope(addr *sys.Sockaddr, fd int) string {
	ip := addr.AddrPort().Addr()
	if ip.IsLinkLocalUnicast() || ip.IsLinkLocalMulticast() {
		if name := interfaceName(fd, addr.ScopeID()); name != "" {
			return `if_nametoindex("` + name + `")`
		}
	}
	return fmt.Sprint(addr.ScopeID())
}

// ipv6 is an IPv6 address as the C library's inet_ntop(3) spells it. It differs from package
// netip for the old IPv4-compatible addresses, whose last four bytes it writes as an IPv4
// address: ::192.0.2.1.
func ipv6(addr netip.Addr) string {
	octets := addr.As16()
	high, low := binary.BigEndian.Uint64(octets[:8]), binary.BigEndian.Uint64(octets[8:])
	if high == 0 && low > 0xffff && low <= 0xffffffff {
		return "::" + netip.AddrFrom4([4]byte(octets[12:])).String()
	}
	return addr.WithZone("").String()
}
