package sockets

import (
	"maps"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"lbaws/trace/wire"
)

// closesFirst is a server whose connections all end with its TIME_WAIT.
type closesFirst struct {
	*net.TCPListener
	t *testing.T
}

func newClosesFirst(t *testing.T) closesFirst {
	listener, err := net.Listen("tcp4", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return closesFirst{listener.(*net.TCPListener), t}
}

// connect makes a connection from a port of a client's; 0 is any.
func (s closesFirst) connect(port int) (client, server *net.TCPConn) { return s.connectTo(1, port) }

// connectTo makes one to the server's address of some number.
func (s closesFirst) connectTo(address, port int) (client, server *net.TCPConn) {
	to := net.TCPAddr{IP: net.IPv4(127, 0, byte(address>>8), byte(address&0xff)), Port: s.Addr().(*net.TCPAddr).Port}
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}}
	dialer.Control = func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) { unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1) })
	}
	conn, err := dialer.Dial("tcp4", to.String())
	if err != nil {
		s.t.Fatal(err)
	}
	accepted, err := s.AcceptTCP()
	if err != nil {
		s.t.Fatal(err)
	}
	return conn.(*net.TCPConn), accepted
}

// over makes connections that are over, all from one port: others' servers may get a port
// that is left.
func (s closesFirst) over(n int) {
	port := 0
	for i := range n {
		client, server := s.connectTo(256+i, port)
		port = client.LocalAddr().(*net.TCPAddr).Port
		server.Close()
		client.Close()
	}
}

func (s closesFirst) watch() *Watch {
	w, err := Open()
	if err != nil {
		s.t.Fatal(err)
	}
	w.Follow(netip.MustParseAddrPort(s.Addr().String()).Port())
	if _, err := w.All(); err != nil {
		s.t.Fatal(err)
	}
	return w
}

// TestOver: what it costs to ask for all sockets does not grow with those that are over.
func TestOver(t *testing.T) {
	var costs [2]float64
	for i, n := range []int{10, 800} {
		s := newClosesFirst(t)
		s.over(n)
		w := s.watch()
		if len(w.held) < n/2 { // a few have ended otherwise
			t.Errorf("%d sockets are known, and %d are in TIME_WAIT", len(w.held), n)
		}
		costs[i] = testing.AllocsPerRun(10, func() {
			w.dumps[notOver] = question{}
			if _, err := w.Ask(0, -1); err != nil {
				t.Fatal(err)
			}
		})
	}
	if costs[1] > 2*costs[0] {
		t.Errorf("%v allocations, and beside many sockets that are over %v", costs[0], costs[1])
	}
}

// TestUnknownDescriptor: the socket of a descriptor that nothing has announced is found
// without asking for all of them.
func TestUnknownDescriptor(t *testing.T) {
	s := newClosesFirst(t)
	w := s.watch()
	w.dumps[notOver].took = 1 << 40 // no dump is due
	before := w.dumps
	client, server := s.connect(0)
	defer client.Close()
	raw, _ := server.SyscallConn()
	raw.Control(func(fd uintptr) {
		changes, err := w.Ask(0, int(fd))
		if err != nil || !slices.ContainsFunc(changes, func(c Change) bool { return c.Descriptor == int(fd) && c.State == wire.Established }) || w.dumps != before {
			t.Errorf("%v, %+v", err, changes)
		}
	})
	server.Close()
}

// TestPortAgain: a client uses its port again while the connection before is in TIME_WAIT:
// that is over, and the next one has come to be.
func TestPortAgain(t *testing.T) {
	s := newClosesFirst(t)
	client, server := s.connect(0)
	port := client.LocalAddr().(*net.TCPAddr).Port
	server.Close()
	client.Close()
	w := s.watch()
	isOver := func(h *holding) bool { return h.State == wire.TimeWait }
	for tries := 0; tries < 1000 && !slices.ContainsFunc(slices.Collect(maps.Values(w.held)), isOver); tries++ {
		if _, err := w.All(); err != nil {
			t.Fatal(err)
		}
	}
	w.dumps[notOver].took = 1 << 40
	client, server = s.connect(port)
	defer client.Close()
	defer server.Close()
	w.Expect(netip.MustParseAddrPort(server.LocalAddr().String()), netip.MustParseAddrPort(client.LocalAddr().String()))
	changes, err := w.Ask(0, -1)
	gone := func(c Change) bool { return c.Gone && c.State == wire.TimeWait }
	come := func(c Change) bool { return c.Was == nil && c.State == wire.Established }
	if err != nil || !slices.ContainsFunc(changes, gone) || !slices.ContainsFunc(changes, come) {
		t.Errorf("%v, %+v", err, changes)
	}
}

// TestQueuedLater: connections that came to the accept queue when it was too early to ask for all sockets
// are found when it no longer is, although the queue has not grown since.
func TestQueuedLater(t *testing.T) {
	s := newClosesFirst(t)
	w := s.watch()
	w.dumps[notOver].took = 1 << 40
	client, err := net.Dial("tcp4", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	queued := func(c Change) bool { return c.State == wire.Established && c.Inode == 0 }
	for range 2 {
		if changes, err := w.Ask(0, -1); err != nil || slices.ContainsFunc(changes, queued) {
			t.Errorf("too early: %v, %+v", err, changes)
		}
	}
	w.dumps[notOver].took = 0
	if changes, err := w.Poll(); err != nil || !slices.ContainsFunc(changes, queued) {
		t.Errorf("later: %v, %+v", err, changes)
	}
}
