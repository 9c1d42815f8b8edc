package sockets_test

import (
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"lbaws/trace/sockets"
	"lbaws/trace/tracetest"
	"lbaws/trace/wire"
)

// listenOn is a server on a free port.
func listenOn(t testing.TB) (*net.TCPListener, uint16) {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return listener.(*net.TCPListener), uint16(listener.Addr().(*net.TCPAddr).Port)
}

// connectTo makes a connection to a server.
func connectTo(t testing.TB, listener *net.TCPListener) (client, server *net.TCPConn) {
	t.Helper()
	conn := tracetest.Dial(t, listener.Addr().String())
	accepted, err := listener.AcceptTCP()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(); accepted.Close() })
	return conn, accepted
}

// ofSS are the sockets of some ports that ss shows, sorted: their ends and queues.
func ofSS(t *testing.T, ports ...uint16) []string {
	t.Helper()
	var filter []string
	for _, port := range ports {
		filter = append(filter, fmt.Sprintf("sport = :%d or dport = :%d", port, port))
	}
	output, err := exec.Command(tracetest.Need(t, "ss", "iproute2"), "-tanH", strings.Join(filter, " or ")).Output()
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for line := range strings.Lines(string(output)) {
		f := strings.Fields(line)
		list = append(list, strings.Join(f[1:5], " "))
	}
	slices.Sort(list)
	return list
}

// watched is what the changes that a watch has told say together.
type watched struct {
	*sockets.Watch
	t    *testing.T
	held map[uint64]sockets.Socket
}

func watch(t *testing.T, open func() (*sockets.Watch, error)) *watched {
	t.Helper()
	w, err := open()
	if err != nil {
		t.Fatal(err)
	}
	return &watched{w, t, make(map[uint64]sockets.Socket)}
}

// ask asks the kernel for what has changed, or for all.
func (w *watched) ask(all bool) []sockets.Change {
	w.t.Helper()
	question := w.All
	if !all {
		question = func() ([]sockets.Change, error) { return w.Ask(0, -1) }
	}
	changes, err := question()
	if err != nil {
		w.t.Fatal(err)
	}
	for _, c := range changes {
		if w.held[c.Cookie] = c.Socket; c.Gone {
			delete(w.held, c.Cookie)
		}
	}
	return changes
}

// compare compares what is held with what ss shows of some ports, at a moment in which
// nothing changes: a FIN may be acknowledged a little later.
func (w *watched) compare(ports ...uint16) {
	w.t.Helper()
	var shown, held []string
	for late := time.Now().Add(tracetest.Patience); time.Now().Before(late); w.ask(false) {
		shown, held = ofSS(w.t, ports...), w.list()
		if slices.Equal(shown, held) {
			return
		}
	}
	tracetest.Compare(w.t, held, shown)
}

// list are the sockets that are held, as ofSS has them.
func (w *watched) list() (list []string) {
	for _, s := range w.held {
		remote := s.Remote.String()
		if s.State == wire.Listen {
			remote = "0.0.0.0:*"
		}
		list = append(list, fmt.Sprintf("%d %d %v %s", s.Receive, s.Send, s.Local, remote))
	}
	slices.Sort(list)
	return list
}

// TestSeveralPorts: one question asks for the sockets of all ports that are followed by now,
// and of no other one. A connection between two of them counts once.
func TestSeveralPorts(t *testing.T) {
	first, a := listenOn(t)
	second, b := listenOn(t)
	third, c := listenOn(t)
	w := watch(t, sockets.Open)
	for _, listener := range []*net.TCPListener{first, second, third} {
		client, _ := connectTo(t, listener)
		client.Write([]byte("hello"))
	}
	from := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2), Port: int(a)}}
	between, err := from.Dial("tcp", second.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer between.Close()
	w.Follow(0)
	if changes := w.ask(false); len(changes) > 0 {
		t.Errorf("of no port: %+v", changes)
	}
	w.Follow(a)
	w.ask(false)
	w.compare(a)
	w.Follow(b)
	w.Follow(b)
	w.ask(false)
	w.compare(a, b)
	w.Follow(c)
	w.ask(false)
	w.compare(a, b, c)
	if w.State(netip.MustParseAddrPort(third.Addr().String()), netip.MustParseAddrPort("0.0.0.0:0")) != wire.Listen {
		t.Error("the third server does not listen")
	}
}

// TestMostPorts: the kernel takes the question for as many ports as there may be, and
// answers for each. Of a port too many, only a socket that is announced is known, and stays
// known.
func TestMostPorts(t *testing.T) {
	w := watch(t, sockets.Open)
	var ports []uint16
	for range wire.MostPorts {
		listener, port := listenOn(t)
		connectTo(t, listener)
		if err := w.Follow(port); err != nil {
			t.Fatal(err)
		}
		ports = append(ports, port)
	}
	more, port := listenOn(t)
	client, _ := connectTo(t, more)
	if w.Follow(port) == nil {
		t.Error("a port too many, and nothing is said")
	}
	w.ask(true)
	w.compare(ports...)
	local, remote := netip.MustParseAddrPort(client.LocalAddr().String()), netip.MustParseAddrPort(more.Addr().String())
	w.Expect(local, remote)
	for range 3 {
		if w.ask(true); w.State(local, remote) != wire.Established {
			t.Error("a socket that was announced is not known")
		}
	}
	client.Close()
	if changes := w.ask(true); len(changes) != 1 || changes[0].Local != local {
		t.Errorf("%+v", changes)
	}
}
