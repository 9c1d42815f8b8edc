package event

import (
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"lbaws/trace/sockets"
)

// Call is a system call: its name and parameters, as its man page has them, and what a
// learner should know of it. All formats and predictions go by these, and by what it
// Does: another call needs an entry here, and no more, to be shown.
type Call struct {
	Name   string
	Params []Param
	Does   Effect
	Waits  bool // whether the call may wait for the peer

	For       [2]string             // by side: what it is for; "" where its arguments decide that, or nobody need know
	Until     string                // what ends the wait, as a sentence
	Done      func(e *Event) string // what it has done when it has succeeded, in sentences
	Explained [5]string             // what it does, needs, waits for, what may go wrong, where to read on
}

// Effect is what a call does to a socket or its connection.
type Effect int

// The effects.
const (
	Else        Effect = iota // none of these
	Makes                     // a socket
	Sets                      // an option of it
	Binds                     // it to an address
	Listens                   // on it
	Accepts                   // a connection
	Connects                  // to a peer
	Disconnects               // from it: connect does so if it is given no address
	Reads                     // bytes
	Writes                    // bytes
	ShutsDown                 // one direction, or both
	Sleeps                    // for some time
	Asks                      // for the socket's own address
	Closes                    // a descriptor
)

// Named returns the call with a name; or nil, if the server and the client do not make it.
func Named(name string) *Call {
	if i := slices.IndexFunc(Calls, func(c *Call) bool { return c.Name == name }); i >= 0 {
		return Calls[i]
	}
	return nil
}

// AtEntry is the number of arguments that are known when the call begins: those before
// the first one that the kernel fills in.
func (c *Call) AtEntry() int {
	if i := slices.IndexFunc(c.Params, func(p Param) bool { return p.Kind.FilledIn() }); i >= 0 {
		return i
	}
	return len(c.Params)
}

// Calls are those that the server and the client make.
var Calls = []*Call{Socket, Setsockopt, Bind, Listen, Accept, Connect, Read,
	Write, Shutdown, Nanosleep, Getsockname, Close}

const newSocketStep = "a new socket: no address and no peer yet"

// The parameters' names are those of the man pages, but for sockfd: a descriptor is fd
// everywhere. Sources: each call's man page, and the sections that its explanation names.
var (
	Socket = &Call{
		Name:   "socket",
		Params: []Param{{"domain", Domain}, {"type", SocketType}, {"protocol", Protocol}},
		Does:   Makes,
		For:    [2]string{newSocketStep, newSocketStep},
		Done: func(e *Event) string {
			return fmt.Sprintf("The kernel has made a socket, and descriptor %d leads to it. It has no address and no peer yet.", e.Result)
		},
		Explained: [5]string{
			"Makes a socket and returns its descriptor: the lowest free number.",
			"It needs an address family and a type: IPv4 or IPv6, a byte stream.",
			"It waits for nothing. The socket has no address and no peer yet.",
			"EMFILE: this process has as many descriptors as it may.",
			"socket(2), tcp(7); UNP section 4.2",
		},
	}
	Setsockopt = &Call{
		Name:   "setsockopt",
		Params: []Param{{"fd", Decimal}, {"level", Level}, {"optname", Option}, {"optval", IntPointer}, {"optlen", Decimal}},
		Does:   Sets,
		Done: func(e *Event) string {
			if e.Args[1].Int == unix.SOL_SOCKET { // TCP_NODELAY, for one, may send what was held back
				return "No segment was sent."
			}
			return ""
		},
		Explained: [5]string{
			"Sets an option of a socket to a number: SO_REUSEADDR to 1.",
			"It needs a socket, and the right moment: SO_REUSEADDR before bind.",
			"It waits for nothing. Most options only change what later calls do.",
			"ENOPROTOOPT: there is no such option. EINVAL: no such value.",
			"setsockopt(2), socket(7); UNP sections 7.2 and 7.5",
		},
	}
	Bind = &Call{
		Name:   "bind",
		Params: []Param{{"fd", Decimal}, {"addr", Address}, {"addrlen", Decimal}},
		Does:   Binds,
		For:    [2]string{Server: "use this address and port"},
		Done: func(e *Event) string {
			if e.Args[1].Addr.AddrPort().Port() == 0 {
				return "The kernel has chosen a free port; getsockname says which. No segment was sent."
			}
			return fmt.Sprintf("The socket's own address is %s now. No segment was sent.", e.Args[1].Addr.AddrPort())
		},
		Explained: [5]string{
			"Gives a socket its own address and port, where clients will find it.",
			"It needs a new socket and a port that is free; port 0 means any.",
			"It waits for nothing, and nobody is told: no segment is sent.",
			"EADDRINUSE: the port is taken. EACCES: it is below 1024.",
			"bind(2), ip(7); UNP section 4.4",
		},
	}
	Listen = &Call{
		Name:   "listen",
		Params: []Param{{"fd", Decimal}, {"backlog", Decimal}},
		Does:   Listens,
		For: [2]string{Server: "passive open: from now on the kernel answers SYNs and queues the connections for accept, " +
			"as many as the backlog and the system's limit allow"},
		Done: func(*Event) string {
			return "The socket listens: from now on the kernel answers SYNs itself, and queues the connections for accept. " +
				"As many may wait as the backlog says, or net.core.somaxconn if that is less, and one more."
		},
		Explained: [5]string{
			"Opens the port: from now on the kernel itself answers each SYN.",
			"It needs a socket, mostly a bound one, and the queue's length: backlog.",
			"It waits for nothing. The connections wait, in a queue for accept.",
			"If the queue is full, the kernel drops SYNs; clients send them again.",
			"listen(2); UNP section 4.5",
		},
	}
	Accept = &Call{
		Name:   "accept",
		Params: []Param{{"fd", Decimal}, {"addr", PeerAddress}, {"addrlen", AddressRoom}},
		Does:   Accepts,
		Waits:  true,
		For:    [2]string{Server: "take a connection from the queue, or wait for one; it gets a socket of its own"},
		Until:  "It returns at once if a connection is in the queue.",
		Done: func(e *Event) string {
			which := "The connection"
			if peer := e.Args[1].Addr.AddrPort(); peer.IsValid() { // or else the program has not asked for it
				which += " with " + peer.String()
			}
			return fmt.Sprintf("%s has left the queue: descriptor %d leads to its socket. "+
				"The listening socket goes on listening.", which, e.Result)
		},
		Explained: [5]string{
			"Takes a connection from the queue, and gives it its own descriptor.",
			"It needs a listening socket. It sends nothing: the handshake is over.",
			"It waits while the queue is empty; on a non-blocking socket: EAGAIN.",
			"EMFILE: no descriptor is free. A connection stays in the queue.",
			"accept(2); UNP section 4.6",
		},
	}
	Connect = &Call{
		Name:   "connect",
		Params: []Param{{"fd", Decimal}, {"addr", Address}, {"addrlen", Decimal}},
		Does:   Connects,
		Waits:  true,
		For:    [2]string{Client: "active open: send a SYN and wait for the answer"},
		Until:  "It returns when the SYN+ACK has come, or fails.",
		Done: func(*Event) string {
			return "The other end's kernel has answered: for this end the connection is established, whether or not the other " +
				"program has called accept. The handshake's last segment is this end's ACK."
		},
		Explained: [5]string{
			"Sends a SYN to a server, and so opens a connection to it.",
			"It needs a socket and the server's address; the kernel picks a port.",
			"It waits for the SYN+ACK. The server need not have called accept.",
			"ECONNREFUSED: nobody listens there. ETIMEDOUT: nobody answered.",
			"connect(2); UNP section 4.3",
		},
	}
	Read = &Call{
		Name:   "read",
		Params: []Param{{"fd", Decimal}, {"buf", Incoming}, {"count", Decimal}},
		Does:   Reads,
		Waits:  true,
		For:    [2]string{"wait for bytes; 0 means end of file", "wait for the response; 0 means end of file"},
		Until:  "It returns as soon as there is any byte, however many it asks for.",
		Done: func(e *Event) string {
			switch {
			case e.Result == 0 && e.Args[2].Int == 0:
				return "There was no room for any byte: here 0 does not mean end of file."
			case e.Result == 0:
				return "0 is end of file: usually the peer's FIN has come, and all bytes before it were read. " +
					"An end that has not sent its own FIN yet can still write."
			}
			return fmt.Sprintf("The kernel has copied %s from the receive buffer to the program. "+
				"How the peer cut its writes does not matter: the bytes are a stream.", sockets.Bytes(e.Moved()))
		},
		Explained: [5]string{
			"Takes bytes that have come, as many as there are and fit the buffer.",
			"It needs a connection. How the peer cut its writes does not matter.",
			"It waits while nothing is unread. 0: mostly, the peer's FIN has come.",
			"ECONNRESET: the peer sent a RST, and what it had yet to send is lost.",
			"read(2); UNP sections 3.9 and 5.12",
		},
	}
	Write = &Call{
		Name:   "write",
		Params: []Param{{"fd", Decimal}, {"buf", Outgoing}, {"count", Decimal}},
		Does:   Writes,
		Waits:  true,
		For:    [2]string{Server: "the kernel takes the bytes and sends them"},
		Until:  "It returns when the last of them is in the send buffer.",
		Done: func(e *Event) string {
			return fmt.Sprintf("The kernel has taken %s into the send buffer, and sends them itself. "+
				"Each byte stays there until the peer acknowledges it, and the call does not wait until the last one is.", sockets.Bytes(e.Moved()))
		},
		Explained: [5]string{
			"Copies bytes to the send buffer; the kernel sends them, now or later.",
			"It needs a connection whose FIN this end has not sent.",
			"It waits while the buffer is full, and not until the bytes arrive.",
			"If the peer has closed, a RST comes back, and the next write fails.",
			"write(2); UNP sections 3.9 and 5.13",
		},
	}
	Shutdown = &Call{
		Name:   "shutdown",
		Params: []Param{{"fd", Decimal}, {"how", How}},
		Does:   ShutsDown,
		Done:   func(*Event) string { return "The descriptor stays open until close." },
		Explained: [5]string{
			"Closes one direction or both: SHUT_WR sends a FIN; reading goes on.",
			"It needs a connection. The descriptor stays open until close.",
			"It waits for nothing: the FIN follows what was written before.",
			"ENOTCONN: the connection is gone, or there never was one.",
			"shutdown(2); UNP section 6.6",
		},
	}
	Nanosleep = &Call{
		Name:   "nanosleep",
		Params: []Param{{"duration", Duration}, {"rem", Null}},
		Does:   Sleeps,
		Explained: [5]string{
			"Pauses the thread for some time, and leaves the processor to others.",
			"It needs a duration. The server pauses when accept goes on failing.",
			"It waits for the clock, and for no peer.",
			"EINTR: a signal came before the time was up.",
			"nanosleep(2)",
		},
	}
	Getsockname = &Call{
		Name:   "getsockname",
		Params: []Param{{"fd", Decimal}, {"addr", PeerAddress}, {"addrlen", AddressRoom}},
		Does:   Asks,
		For:    [2]string{Server: "the kernel chose the port: ask which"},
		Done: func(e *Event) string {
			return fmt.Sprintf("The socket's own address is %s. No segment was sent.", e.Args[1].Addr.AddrPort())
		},
		Explained: [5]string{
			"Asks the kernel for a socket's own address and port.",
			"It needs a socket. The server asks when it gave bind port 0.",
			"It waits for nothing, and sends nothing.",
			"EBADF: the descriptor is not open. ENOTSOCK: it is no socket.",
			"getsockname(2); UNP section 4.10",
		},
	}
	Close = &Call{
		Name:   "close",
		Params: []Param{{"fd", Decimal}},
		Does:   Closes,
		Done:   func(e *Event) string { return fmt.Sprintf("Descriptor %d is free again.", e.Args[0].Int) },
		Explained: [5]string{
			"Gives back the descriptor; the last one takes the connection with it.",
			"It needs an open descriptor. The end whose FIN is first: TIME_WAIT.",
			"The kernel sends what is left, then a FIN. Only SO_LINGER makes it wait.",
			"If bytes are unread, the kernel sends a RST in place of the FIN.",
			"close(2); UNP sections 2.7 and 4.9; RFC 2525 section 2.17",
		},
	}
)
