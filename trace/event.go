package trace

import (
	"time"

	"golang.org/x/sys/unix"

	"lbaws/sys"
)

// Event is one system call. A format is told of it twice: when the call
// begins, with the arguments that the program gave, and when it returns, with
// the arguments that the kernel filled in, the result and the time: with another
// Event of the same number.
//
// It belongs to the Tracer, which uses it again for a later call: a format may keep
// it, and the buffers that it points to, until it is told of the return, and no longer.
type Event struct {
	Number int // 1 for the first call
	Caller     // who makes the call
	Call   *Call
	Line   int           // the line of main.go that makes the call; 0 if that was not to be noted
	Args   [5]Arg        // as many as Call has parameters, in their order
	Begin  time.Time     // when the call began
	Return time.Time     // when it returned; the zero time until it has
	Took   time.Duration // how long it took; 0 until it has returned, and -1 if a recording does not say
	Result int           // what it returned; -1 if it failed
	Errno  unix.Errno    // why it failed; 0 if it did not

	Recorded *Recorded // its text, if it is from a recording
	Shared   bool      // of a close: whether another descriptor leads to the same socket
}

// Caller is a program that makes calls.
type Caller struct {
	Side    Side
	Program int // which one of its side: 0 for the first, or the only one
	Thread  int // the number of its thread, if that has descriptors of its own; or else 0
}

// descriptor is a number by which a program names an open file.
type descriptor struct{ thread, fd int }

// descriptor is the call's first argument. A recording may name the socket that it
// leads to: that one may have several descriptors, of several programs.
func (e *Event) descriptor() descriptor {
	if e.isOthers() {
		return descriptor{fd: e.Recorded.Socket}
	}
	return descriptor{e.Thread, e.Args[0].Int}
}

// made is the descriptor that the call has made.
func (e *Event) made() descriptor {
	if e.Recorded != nil && e.Recorded.Made != 0 {
		return descriptor{fd: e.Recorded.Made}
	}
	return descriptor{e.Thread, e.Result}
}

// String returns what is known of the call when it begins, as the diagram has it.
func (e *Event) String() string {
	const limit = 24
	var t text
	first := *e
	first.Program = 0
	t.setBegin(&first)
	line := string(t.append(nil, limit))
	if drawnInTwo(e.Call) || e.Call.atEntry() < len(e.Call.Params) {
		line += "…"
	}
	return line
}

// Side is one of the two columns of the diagram.
type Side int

// The sides. The server's is the one that listens.
const (
	Server Side = iota
	Client
)

// failed reports whether the call has returned an error.
func (e *Event) failed() bool { return e.Result < 0 }

// comesLater reports whether the error only says that the result is not there yet: the
// socket is non-blocking, or a signal came.
func (e *Event) comesLater() bool {
	switch e.Errno {
	case unix.EAGAIN, unix.EINPROGRESS, unix.EINTR:
		return true
	}
	return false
}

// Arg is one argument of a call. Which field has it follows from the
// parameter's Kind.
type Arg struct {
	Int  int           // a descriptor, flag, option or length
	Data []byte        // a buffer: all of it, also where the call fills a part
	Addr *sys.Sockaddr // an address, or the room for one
}

// Call is a system call's name and parameters, as its man page has them.
type Call struct {
	Name   string
	Params []Param
	Waits  bool // whether the call may wait for the peer
}

// Param is one parameter: its name and what kind of value it takes.
type Param struct {
	Name string
	Kind Kind
}

// Kind is what a format must know to write an argument.
type Kind int

// The kernel fills in the arguments of the last three kinds; the program gives
// the others.
const (
	Decimal    Kind = iota // a number: a descriptor, a length, a backlog
	Domain                 // an address family: AF_INET
	SocketType             // SOCK_STREAM
	Protocol               // IPPROTO_IP
	Level                  // whose option: SOL_SOCKET
	Option                 // which option: SO_REUSEADDR
	IntPointer             // the address of an int, shown as the int
	How                    // which direction: SHUT_WR
	Duration               // a time in nanoseconds
	Null                   // a pointer to nothing
	Outgoing               // the bytes that write is given
	Address                // the address that bind or connect is given

	Incoming    // the bytes that read got
	PeerAddress // the address that accept or getsockname got
	AddressRoom // the room for that address, and how much of it was used
)

// isSymbol reports whether an argument of this kind is a constant that has a name.
func (k Kind) isSymbol() bool {
	switch k {
	case Domain, SocketType, Protocol, Level, Option, How:
		return true
	}
	return false
}

// filledIn reports whether an argument of this kind is known only when the call
// has returned.
func (k Kind) filledIn() bool { return k >= Incoming }

// Named returns the call with a name; or nil, if the server and the client do not make it.
func Named(name string) *Call {
	for _, call := range []*Call{socketCall, setsockoptCall, bindCall, listenCall, acceptCall, connectCall, readCall,
		writeCall, shutdownCall, nanosleepCall, getsocknameCall, closeCall} {
		if call.Name == name {
			return call
		}
	}
	return nil
}

// The calls. The parameters' names are those of the man pages, but for sockfd:
// a descriptor is fd everywhere.
var (
	socketCall = &Call{Name: "socket", Params: []Param{
		{"domain", Domain}, {"type", SocketType}, {"protocol", Protocol}}}
	setsockoptCall = &Call{Name: "setsockopt", Params: []Param{
		{"fd", Decimal}, {"level", Level}, {"optname", Option}, {"optval", IntPointer}, {"optlen", Decimal}}}
	bindCall = &Call{Name: "bind", Params: []Param{
		{"fd", Decimal}, {"addr", Address}, {"addrlen", Decimal}}}
	listenCall = &Call{Name: "listen", Params: []Param{
		{"fd", Decimal}, {"backlog", Decimal}}}
	acceptCall = &Call{Name: "accept", Waits: true, Params: []Param{
		{"fd", Decimal}, {"addr", PeerAddress}, {"addrlen", AddressRoom}}}
	connectCall = &Call{Name: "connect", Waits: true, Params: []Param{
		{"fd", Decimal}, {"addr", Address}, {"addrlen", Decimal}}}
	readCall = &Call{Name: "read", Waits: true, Params: []Param{
		{"fd", Decimal}, {"buf", Incoming}, {"count", Decimal}}}
	writeCall = &Call{Name: "write", Waits: true, Params: []Param{
		{"fd", Decimal}, {"buf", Outgoing}, {"count", Decimal}}}
	shutdownCall = &Call{Name: "shutdown", Params: []Param{
		{"fd", Decimal}, {"how", How}}}
	nanosleepCall = &Call{Name: "nanosleep", Params: []Param{
		{"duration", Duration}, {"rem", Null}}}
	getsocknameCall = &Call{Name: "getsockname", Params: []Param{
		{"fd", Decimal}, {"addr", PeerAddress}, {"addrlen", AddressRoom}}}
	closeCall = &Call{Name: "close", Params: []Param{
		{"fd", Decimal}}}
)
