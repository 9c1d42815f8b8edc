// Package turns brings the two ends of a connection together, as the books draw
// them: the client begins when the server waits in accept, and the server
// answers when the client waits in read.
package turns

import (
	"net/netip"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"lbaws/sys"
)

// Ends are the kernels of the two ends of one connection, which run on two
// threads of this process. Each waits for its turn, and then passes the call on.
type Ends struct {
	Server, Client sys.Kernel

	listening chan netip.AddrPort
	accepting chan thread   // has the server's thread when it is about to accept
	reading   chan thread   // has the client's thread when it is about to read
	closed    chan struct{} // closed when the client will read no more
	left      chan struct{} // closed when the server accepts no more
}

// New returns the ends of a connection in front of two kernels.
func New(server, client sys.Kernel) *Ends {
	e := &Ends{
		listening: make(chan netip.AddrPort, 1),
		accepting: make(chan thread, 1),
		reading:   make(chan thread, 1),
		closed:    make(chan struct{}),
		left:      make(chan struct{}),
	}
	e.Server = &serverEnd{Kernel: server, ends: e, leave: sync.OnceFunc(func() { close(e.left) })}
	e.Client = &clientEnd{Kernel: client, ends: e, close: sync.OnceFunc(func() { close(e.closed) })}
	return e
}

// Address waits until the server listens, and returns its address; or until it is
// sure that it will not, and returns the zero AddrPort.
func (e *Ends) Address() netip.AddrPort {
	select {
	case address := <-e.listening:
		return address
	case <-e.left:
		return netip.AddrPort{}
	}
}

// serverEnd is the server's kernel.
type serverEnd struct {
	sys.Kernel
	ends      *Ends
	leave     func()
	listening atomic.Int64 // the listening socket
}

func (s *serverEnd) Listen(fd, backlog int) error {
	err := s.Kernel.Listen(fd, backlog)
	var local sys.Sockaddr
	s.listening.Store(int64(fd))
	if err == nil && (sys.Unix{}).Getsockname(fd, &local) == nil {
		s.ends.listening <- local.AddrPort()
	}
	return err
}

func (s *serverEnd) Accept(fd int, peer *sys.Sockaddr) (int, error) {
	select {
	case s.ends.accepting <- thisThread():
	default: // the client has begun
	}
	return s.Kernel.Accept(fd, peer)
}

// Shutdown and Close of the listening socket mean that nobody will be accepted any
// more.
func (s *serverEnd) Shutdown(fd, how int) error {
	s.leaveIfListening(fd)
	return s.Kernel.Shutdown(fd, how)
}

func (s *serverEnd) Close(fd int) error {
	s.leaveIfListening(fd)
	return s.Kernel.Close(fd)
}

func (s *serverEnd) leaveIfListening(fd int) {
	if int64(fd) == s.listening.Load() {
		s.leave()
	}
}

// Write waits until the client waits in read.
func (s *serverEnd) Write(fd int, p []byte) (int, error) {
	select {
	case client := <-s.ends.reading:
		client.awaitCall(unix.SYS_READ)
	case <-s.ends.closed:
	}
	return s.Kernel.Write(fd, p)
}

// clientEnd is the client's kernel.
type clientEnd struct {
	sys.Kernel
	ends  *Ends
	close func()
}

// Socket waits until the server waits in accept. It has its descriptor by then,
// which the client's socket could otherwise take.
func (c *clientEnd) Socket(domain, typ, protocol int) (int, error) {
	select {
	case server := <-c.ends.accepting:
		server.awaitCall(unix.SYS_ACCEPT)
	case <-c.ends.left:
		return -1, unix.ECANCELED
	}
	return c.Kernel.Socket(domain, typ, protocol)
}

// Connect returns ECANCELED if it fails because the server has left.
func (c *clientEnd) Connect(fd int, remote netip.AddrPort) error {
	err := c.Kernel.Connect(fd, remote)
	select {
	case <-c.ends.left:
		if err != nil {
			return unix.ECANCELED
		}
	default:
	}
	return err
}

func (c *clientEnd) Read(fd int, p []byte) (int, error) {
	select {
	case c.ends.reading <- thisThread():
	default: // the server has answered
	}
	return c.Kernel.Read(fd, p)
}

func (c *clientEnd) Close(fd int) error {
	c.close()
	return c.Kernel.Close(fd)
}
