// Package sys has the system calls of a TCP server and of its client, one
// method for each, and nothing between the method and the kernel.
//
// The calls are those of figure 4.1 in Stevens, Fenner and Rudoff, Unix
// Network Programming, volume 1, third edition (UNP below):
//
//	server                         client
//	socket                         socket
//	bind
//	listen                         passive open: SYNs are answered from here on
//	accept   (waits) ◀──────────── connect   three-way handshake
//	read     (waits) ◀──────────── write     request
//	write            ────────────▶ read      response
//	close            ────────────▶ read → 0  end of file
//	                               close
//
// Kernel is that set of calls as an interface. The server is written against it;
// packages patient and trace put Kernels of their own in front of another, and a
// test can stand in for it. Unix is the machine's own.
//
// A descriptor is the small number by which a process names an open file; a
// socket is one kind of open file. Every error that Unix returns is a unix.Errno,
// so errors.Is(err, unix.EADDRINUSE) and the like are exact.
package sys

import (
	"net/netip"
	"time"
)

// Kernel is the system calls that the server and the client make. Each method
// is one call of the kernel, with its name and its arguments in their order.
// A method that returns a number returns -1 together with an error.
//
// Implementations must allow calls from several threads at once: a call that
// waits in accept or read is woken by another thread's shutdown.
type Kernel interface {
	// Socket makes a socket and returns its descriptor: the lowest number
	// that is free. The socket has no address yet and no peer; no segment is
	// sent. domain is the address family (unix.AF_INET for IPv4, unix.AF_INET6
	// for IPv6), typ the kind of transport (unix.SOCK_STREAM: a byte stream),
	// protocol unix.IPPROTO_IP for the usual one of both, which is TCP.
	//
	// It is the first call of both columns of the diagram.
	//
	// Errors: EMFILE, this process has as many descriptors as it may
	// (ulimit -n); ENFILE, the whole system has; ENOBUFS or ENOMEM, no memory;
	// EAFNOSUPPORT, this kernel does not have the family (IPv6 turned off).
	//
	// Source: socket(2), ip(7), tcp(7); UNP section 4.2.
	Socket(domain, typ, protocol int) (fd int, err error)

	// Setsockopt sets one option of the socket fd to an integer. level says
	// whose option it is (unix.SOL_SOCKET: every socket's), option which one.
	// The kernel is given the value's address and its length, 4 bytes.
	//
	// The server sets SO_REUSEADDR between socket and bind: without it, bind
	// refuses a port while a connection of the last run is in TIME_WAIT there.
	//
	// Errors: ENOPROTOOPT, no such option at that level; EINVAL, no such
	// value; EBADF and ENOTSOCK, fd is not a socket.
	//
	// Source: setsockopt(2), socket(7); UNP sections 7.2 and 7.5.
	Setsockopt(fd, level, option, value int) error

	// Bind gives the socket fd its local address: the address of one of this
	// machine's interfaces, or the unspecified one (0.0.0.0, ::) for all of
	// them, and a port, or port 0 for any that is free. The family of local
	// must be the socket's. A zone, if there is one, is the interface's number
	// and not its name.
	//
	// In the server's column it is the step that makes the port well known. A
	// client leaves it out, and connect picks a port.
	//
	// Errors: EADDRINUSE, the port is taken; EACCES, a port below 1024 without
	// the right to it; EADDRNOTAVAIL, no interface has that address; EINVAL,
	// the socket has an address already.
	//
	// Source: bind(2), ip(7), ipv6(7); UNP section 4.4.
	Bind(fd int, local netip.AddrPort) error

	// Listen makes fd a listening socket: CLOSED becomes LISTEN, the passive
	// open. From now on the kernel itself completes handshakes and queues the
	// connections for accept. backlog bounds that queue; the kernel lowers it
	// to net.core.somaxconn. When the queue is full, SYNs are dropped and
	// clients send them again, first after a second.
	//
	// Errors: EADDRINUSE, another socket listens on the port; EOPNOTSUPP, not
	// a socket that can listen.
	//
	// Source: listen(2), tcp(7); UNP section 4.5 and figure 4.7 (the queues).
	Listen(fd, backlog int) error

	// Accept takes the first completed connection from the queue of the
	// listening socket fd, and waits while there is none. It returns a new
	// descriptor, the connected socket, and writes the client's address to
	// peer. The handshake was over before: accept sends no segment.
	//
	// peer must not be nil. It belongs to the caller and may be used again for
	// the next call.
	//
	// Errors: ECONNABORTED, the client was gone before it could be accepted
	// (Linux returns the connection anyway, and Read or Write fails);
	// EINVAL, fd is not (after Shutdown: no longer) a listening socket; EMFILE,
	// ENFILE, ENOBUFS, ENOMEM as for Socket; on Linux also errors that are pending
	// on the new connection (ENETDOWN, EPROTO, EHOSTUNREACH and others), which
	// concern that connection and not the server.
	//
	// Source: accept(2); UNP sections 4.6, 5.11 (ECONNABORTED) and 3.3 (the
	// address's length as a value-result argument).
	Accept(fd int, peer *Sockaddr) (connected int, err error)

	// Connect is the client's active open: it sends the SYN to remote, and
	// waits for the SYN+ACK. A socket without a local address gets one. A
	// zone, if there is one, is the interface's number and not its name.
	//
	// Errors: ECONNREFUSED, a RST came back: no socket listens there;
	// ETIMEDOUT, no answer came; ENETUNREACH and EHOSTUNREACH, no route
	// there; EADDRNOTAVAIL, no local port is free.
	//
	// Source: connect(2), tcp(7); UNP section 4.3.
	Connect(fd int, remote netip.AddrPort) error

	// Read moves bytes that have arrived on fd to p, at most len(p), and waits
	// while there are none. n is their number: a byte stream keeps no
	// boundaries, so it may be less than was asked for, and less or more than
	// the peer wrote at once. 0 is the end of file: the peer's FIN has come
	// and nothing will follow. p belongs to the caller.
	//
	// Errors: ECONNRESET, the peer sent a RST; ETIMEDOUT, it stopped
	// answering; EBADF, fd is not open.
	//
	// Source: read(2), tcp(7); UNP sections 3.9, 5.12 and 5.14.
	Read(fd int, p []byte) (n int, err error)

	// Write gives the kernel bytes to send on fd, and waits while its send
	// buffer is full. n is the number that it took, which may be less than
	// len(p) (UNP's writen carries on). That it took them does not mean that
	// they have arrived. p is only read, and may be used again at once.
	//
	// Errors: EPIPE, the connection is closed for sending (the kernel sends
	// SIGPIPE as well, which Go's runtime ignores for a socket); ECONNRESET,
	// the peer sent a RST.
	//
	// Source: write(2), send(2); UNP sections 3.9 and 5.13 (SIGPIPE).
	Write(fd int, p []byte) (n int, err error)

	// Shutdown closes one direction of the connection on fd, whatever other
	// descriptors it has. how is unix.SHUT_WR, the half-close: a FIN is sent
	// after what was written, and reading goes on; unix.SHUT_RD: a read that
	// waits returns 0; or unix.SHUT_RDWR. On Linux SHUT_RD on a listening
	// socket ends the listening, and an accept that waits fails with EINVAL.
	//
	// Errors: ENOTCONN, no connection. Systems other than Linux may return it for a
	// listening socket too, whether or not they end the wait in accept.
	//
	// Source: shutdown(2); UNP section 6.6 and figure 6.12.
	Shutdown(fd, how int) error

	// Nanosleep pauses the calling thread for d. The server does so when
	// accept lacks descriptors or memory: to try again at once would only
	// keep the processor busy.
	//
	// Errors: EINTR, a signal came.
	//
	// Source: nanosleep(2).
	Nanosleep(d time.Duration) error

	// Getsockname writes the local address of fd to local. The server needs it
	// when it asked bind for port 0, to learn which port it got; and to connect
	// to itself, if nothing else ends the wait in accept.
	//
	// Errors: EBADF and ENOTSOCK, fd is not a socket.
	//
	// Source: getsockname(2); UNP section 4.10.
	Getsockname(fd int, local *Sockaddr) error

	// Close gives the descriptor back. If it was the socket's last one, the
	// connection is closed: what was written is still sent, then a FIN. If the
	// peer has not closed yet, this is the active close: this end goes on to
	// FIN_WAIT_1 and, after the peer's FIN, to TIME_WAIT. Otherwise it is the
	// passive one: LAST_ACK and, after the peer's ACK, CLOSED. If bytes have
	// arrived that nobody has read, a RST is sent instead of the FIN.
	//
	// Errors: EBADF, fd is not open. After any other error the descriptor is
	// closed anyway: never call it twice.
	//
	// Source: close(2); UNP sections 4.9, 2.6 and 2.7; RFC 9293 section 3.6;
	// for the RST, RFC 2525 section 2.17.
	Close(fd int) error
}
