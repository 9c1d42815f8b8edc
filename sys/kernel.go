// Package sys has the system calls of a TCP server and its client, one method for each.
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
// packages patient, turns and tracer put Kernels of their own in front of another, and a
// test can stand in for it. Unix is the machine's own.
//
// Every error that Unix returns is a unix.Errno, so errors.Is(err, unix.EADDRINUSE)
// and the like are exact.
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
	// Socket makes a socket and returns its descriptor: the lowest number that is
	// free. domain is the address family (unix.AF_INET for IPv4, unix.AF_INET6 for
	// IPv6), typ the kind of transport (unix.SOCK_STREAM: a byte stream), protocol
	// unix.IPPROTO_IP for the usual one of both, which is TCP.
	//
	// Errors: EMFILE, this process has as many descriptors as it may (ulimit -n);
	// ENFILE, the whole system has; ENOBUFS or ENOMEM, no memory; EAFNOSUPPORT, this
	// kernel does not have the family (IPv6 turned off).
	//
	// Source: socket(2), ip(7), tcp(7); UNP section 4.2.
	Socket(domain, typ, protocol int) (fd int, err error)

	// Setsockopt sets one option of the socket fd to an integer. level says
	// whose option it is (unix.SOL_SOCKET: every socket's), option which one.
	//
	// The server sets SO_REUSEADDR between socket and bind: without it, bind
	// refuses a port while a connection of the last run is in TIME_WAIT there.
	//
	// Errors: ENOPROTOOPT, no such option at that level; EINVAL, no such value.
	//
	// Source: setsockopt(2), socket(7); UNP sections 7.2 and 7.5.
	Setsockopt(fd, level, option, value int) error

	// Bind gives the socket fd its local address: that of one of this machine's
	// interfaces, or the unspecified one (0.0.0.0, ::) for all of them, and a port,
	// or port 0 for any that is free. The family of local must be the socket's. A
	// zone, if there is one, is the interface's number and not its name.
	//
	// Errors: EADDRINUSE, the port is taken; EACCES, a port below 1024 without
	// the right to it; EADDRNOTAVAIL, no interface has that address; EINVAL,
	// the socket has an address already.
	//
	// Source: bind(2), ip(7), ipv6(7); UNP section 4.4.
	Bind(fd int, local netip.AddrPort) error

	// Listen makes fd a listening socket, the passive open: from now on the kernel
	// itself completes handshakes and queues the connections for accept. backlog
	// bounds that queue; the kernel lowers it to net.core.somaxconn. When the queue
	// is full, SYNs are dropped and clients send them again, first after a second.
	//
	// Errors: EADDRINUSE, another socket listens on the port; EOPNOTSUPP, not
	// a socket that can listen.
	//
	// Source: listen(2), tcp(7); UNP section 4.5 and figure 4.7 (the queues).
	Listen(fd, backlog int) error

	// Accept takes the first connection from the queue of the listening socket fd,
	// and waits while there is none. It returns a new descriptor, the connected
	// socket, and writes the client's address to peer, which must not be nil and may
	// be used again for the next call. The handshake was over before: accept sends no
	// segment.
	//
	// Errors: ECONNABORTED, the client was gone before it could be accepted
	// (Linux returns the connection anyway, and Read or Write fails); EINVAL, fd is
	// not (after Shutdown: no longer) a listening socket; EMFILE, ENFILE, ENOBUFS,
	// ENOMEM as for Socket; on Linux also errors that are pending on the new
	// connection, which concern that one and not the server.
	//
	// Source: accept(2); UNP sections 4.6, 5.11 (ECONNABORTED) and 3.3 (the
	// address's length as a value-result argument).
	Accept(fd int, peer *Sockaddr) (connected int, err error)

	// Connect is the client's active open: it sends the SYN to remote, and waits for
	// the SYN+ACK. A socket without a local address gets one. A zone is as for Bind.
	//
	// Errors: ECONNREFUSED, a RST came back: no socket listens there;
	// ETIMEDOUT, no answer came; ENETUNREACH and EHOSTUNREACH, no route
	// there; EADDRNOTAVAIL, no local port is free.
	//
	// Source: connect(2), tcp(7); UNP section 4.3.
	Connect(fd int, remote netip.AddrPort) error

	// Read moves bytes that have arrived on fd to p, at most len(p), and waits
	// while there are none. n is their number: a byte stream keeps no boundaries,
	// so it may be less or more than the peer wrote at once. 0 is the end of file:
	// the peer's FIN has come, and nothing will follow.
	//
	// Errors: ECONNRESET, the peer sent a RST; ETIMEDOUT, it stopped answering.
	//
	// Source: read(2), tcp(7); UNP sections 3.9, 5.12 and 5.14.
	Read(fd int, p []byte) (n int, err error)

	// Write gives the kernel bytes to send on fd, and waits while its send buffer is
	// full. n is the number that it took, which may be less than len(p). That it took
	// them does not mean that they have arrived.
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

	// Nanosleep pauses the calling thread for d. Its error is EINTR: a signal came.
	//
	// Source: nanosleep(2).
	Nanosleep(d time.Duration) error

	// Getsockname writes the local address of fd to local: after bind to port 0, it
	// has the port that the kernel chose.
	//
	// Source: getsockname(2); UNP section 4.10.
	Getsockname(fd int, local *Sockaddr) error

	// Close gives the descriptor back. If it was the socket's last one, the
	// connection is closed: what was written is still sent, then a FIN; or, if bytes
	// are unread, a RST instead. The end that closes first goes on to TIME_WAIT.
	//
	// Errors: EBADF, fd is not open. After any other error the descriptor is
	// closed anyway: never call it twice.
	//
	// Source: close(2); UNP sections 4.9, 2.6 and 2.7; RFC 9293 section 3.6;
	// for the RST, RFC 2525 section 2.17.
	Close(fd int) error
}
