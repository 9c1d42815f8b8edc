package event

import (
	"cmp"
	"time"

	"golang.org/x/sys/unix"

	"lbaws/sys"
)

// Event is one system call. A format is told of it when the call begins, with the
// arguments that the program gave; and when it returns, in another Event of the same
// number, with those that the kernel filled in, the result and the time.
//
// It belongs to the Tracer, which uses it again for a later call: a format may keep it and
// its buffers until it is told of the return, and no longer.
type Event struct {
	Number int // 1 for the first call
	Caller     // who makes the call
	Call   *Call
	Line   int           // the line of the source that makes the call; 0 if that is not known, or was not to be noted
	File   string        // of another program's source: its path, which may hold any byte; "" is main.go
	Args   [5]Arg        // as many as Call has parameters, in their order
	Begin  time.Time     // when the call began
	Return time.Time     // when it returned; the zero time until it has
	Took   time.Duration // how long it took; 0 until it has returned, and -1 if a recording does not say
	Result int           // what it returned; -1 if it failed
	Errno  unix.Errno    // why it failed; 0 if it did not

	Recorded *Recorded // its text, if it is from a recording
	Shared   bool      // of a close: whether another descriptor leads to the same socket
	InTheWay string    // of a bind or a listen that has failed with EADDRINUSE: the sockets that have the address; "" if the kernel was not asked

	// Of is the descriptor as whose copy, after fork, the call's first argument leads to its
	// socket; and MadeAs is by which name the one goes that it has made, if another socket has
	// that one. Both are zero otherwise.
	Of, MadeAs Descriptor
}

// Caller is a program that makes calls.
type Caller struct {
	Side    Side
	Program int // which one of its side: 0 for the first, or the only one
	Thread  int // the number of its thread, if that has descriptors of its own; or else 0
	Proxy   int // its number among the servers, from 1 on, if it is a server and a client at once; or else 0
}

// Number is which one it is of the programs with which it shares a column, from 1 on.
func (c Caller) Number() int {
	if c.Proxy > 0 {
		return c.Proxy
	}
	return c.Program + 1
}

// Descriptor is a number by which a program names an open file.
type Descriptor struct {
	Thread int `json:"thread"`
	Fd     int `json:"fd"`
}

// Descriptor is the call's first argument. A recording may name the socket that it
// leads to: that one may have several descriptors, of several programs.
func (e *Event) Descriptor() Descriptor {
	if e.IsOthers() {
		return Descriptor{Fd: e.Recorded.Socket}
	}
	return cmp.Or(e.Of, Descriptor{e.Thread, e.Args[0].Int})
}

// Made is the descriptor that the call has made.
func (e *Event) Made() Descriptor {
	if e.Recorded != nil && e.Recorded.Made != 0 {
		return Descriptor{Fd: e.Recorded.Made}
	}
	return cmp.Or(e.MadeAs, Descriptor{e.Thread, e.Result})
}

// Side is one of the two columns of the diagram.
type Side int

// The sides. The server's is the one that listens.
const (
	Server Side = iota
	Client
)

// String returns the side's name.
func (s Side) String() string {
	if s == Client {
		return "client"
	}
	return "server"
}

// Peer returns the other side.
func (s Side) Peer() Side { return 1 - s }

// Failed reports whether the call has returned an error.
func (e *Event) Failed() bool { return e.Result < 0 }

// CopyBuffers makes the buffers and the addresses of e its own, as the program may use them
// again when it goes on. It appends them to data and peers, and returns these. Room that a
// failed call has not filled stays the program's: only where it is may be shown.
func (e *Event) CopyBuffers(data []byte, peers []sys.Sockaddr) ([]byte, []sys.Sockaddr) {
	for i, p := range e.Call.Params {
		arg := &e.Args[i]
		buffer := arg.Data
		if p.Kind == Incoming {
			buffer = e.Received()
		}
		if len(buffer) > 0 {
			data = append(data, buffer...)
			arg.Data = data[len(data)-len(buffer):]
		}
		if arg.Addr != nil && !e.Failed() {
			peers = append(peers, *arg.Addr)
			arg.Addr = &peers[len(peers)-1]
		}
	}
	return data, peers
}

// ComesLater reports whether the error only says that the result is not there yet: the
// socket is non-blocking, or a signal came.
func (e *Event) ComesLater() bool {
	return e.Errno == unix.EAGAIN || e.Errno == unix.EINPROGRESS || e.Errno == unix.EINTR
}

// Arg is one argument of a call. Which field has it follows from the
// parameter's Kind.
type Arg struct {
	Int  int           // a descriptor, flag, option or length
	Data []byte        // a buffer: all of it, also where the call fills a part
	Addr *sys.Sockaddr // an address, or the room for one
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
	IntPointer             // the address of an int, shown as the int
	Duration               // a time in nanoseconds
	Null                   // a pointer to nothing
	Outgoing               // the bytes that write is given
	Address                // the address that bind or connect is given

	Domain     // a constant: an address family, AF_INET
	SocketType // SOCK_STREAM
	Protocol   // IPPROTO_IP
	Level      // whose option: SOL_SOCKET
	Option     // which option: SO_REUSEADDR
	How        // which direction: SHUT_WR

	Incoming    // the bytes that read got
	PeerAddress // the address that accept or getsockname got
	AddressRoom // the room for that address, and how much of it was used
)

// IsSymbol reports whether an argument of this kind is a constant that has a name.
func (k Kind) IsSymbol() bool { return k >= Domain && k <= How }

// FilledIn reports whether an argument of this kind is known only when the call
// has returned.
func (k Kind) FilledIn() bool { return k >= Incoming }
