package wire_test

import (
	"io"
	"net"
	"net/netip"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"lbaws/trace/tracetest"
	"lbaws/trace/wire"
)

// listen is a server on a free port of an address.
func listen(t *testing.T, address string) string {
	t.Helper()
	listener, err := net.Listen("tcp", address+":0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return listener.Addr().String()
}

// dial makes a connection, and returns the client's end and address.
func dial(t *testing.T, server string) (net.Conn, string) {
	t.Helper()
	conn := tracetest.Dial(t, server)
	t.Cleanup(func() { conn.Close() })
	return conn, conn.LocalAddr().String()
}

// TestSeveralServers: what was captured before a server is added is still there; from then on
// the segments of both are, in order of time, and no third one's.
func TestSeveralServers(t *testing.T) {
	first, second, third := listen(t, "127.0.0.1"), listen(t, "127.0.0.1"), listen(t, "127.0.0.1")
	capture := startCapture(t, first, false)
	conn, a := dial(t, first)
	dial(t, second)
	for range 2 { // a second time, it changes nothing
		if err := capture.Add(netip.MustParseAddrPort(second)); err != nil {
			t.Fatal(err)
		}
	}
	_, b := dial(t, second)
	dial(t, third)
	conn.Write(make([]byte, 10))
	checkTaken(t, capture,
		a+" SYN", first+" SYN+ACK", a+" ACK",
		b+" SYN", second+" SYN+ACK", b+" ACK",
		a+" PSH+ACK", first+" ACK")
}

// TestClientFromServersPort: a client may come from a port on which another server listens.
func TestClientFromServersPort(t *testing.T) {
	upstream := listen(t, "127.0.0.1")
	front := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), netip.MustParseAddrPort(listen(t, "127.0.0.2")).Port())
	capture := startCapture(t, front.String(), false)
	if err := capture.Add(netip.MustParseAddrPort(upstream)); err != nil {
		t.Fatal(err)
	}
	dialer := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(front)}
	conn, err := dialer.Dial("tcp", upstream)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	checkTaken(t, capture, front.String()+" SYN", upstream+" SYN+ACK", front.String()+" ACK")
}

// TestMostServers: as many ports as there may be are captured, each of them, with IPv4 and
// with IPv6; one more is refused, and the others' segments still come.
func TestMostServers(t *testing.T) {
	for _, address := range []string{"127.0.0.1", "[::1]"} {
		first := listen(t, address)
		capture := startCapture(t, first, false)
		servers := []string{first}
		for len(servers) < wire.MostPorts {
			server := listen(t, address)
			if err := capture.Add(netip.MustParseAddrPort(server)); err != nil {
				t.Fatal(err)
			}
			servers = append(servers, server)
		}
		more := listen(t, address)
		if err := capture.Add(netip.MustParseAddrPort(more)); err == nil {
			t.Error("there are too many ports, and nothing is said")
		}
		dial(t, more)
		for _, server := range servers {
			_, client := dial(t, server)
			checkTaken(t, capture, client+" SYN", server+" SYN+ACK", client+" ACK")
		}
	}
}

// TestServerElsewhere: beside a server on the loopback interface another one is added, which
// is reached on others, too. The segments of both are taken once, wherever they pass, and
// who waits for the first one's is woken by the other's.
func TestServerElsewhere(t *testing.T) {
	tun := newDevice(t, unix.IFF_TUN, "tun0", "10.9.0.1")
	here := listen(t, "127.0.0.1")
	capture := startCapture(t, here, false)
	woken := make(chan bool)
	go func() {
		capture.Wait(-1)
		close(woken)
	}()
	wide := listen(t, "0.0.0.0")
	if err := capture.Add(netip.MustParseAddrPort(wide)); err != nil {
		t.Fatal(err)
	}
	port := strconv.Itoa(int(netip.MustParseAddrPort(wide).Port()))
	outside, inside := "10.9.0.1:"+port, "127.0.0.1:"+port
	tun.arrive(t, packet("10.9.0.2:4000", outside, wire.SYN, 0))
	<-woken
	_, a := dial(t, here)
	_, b := dial(t, inside)
	_, c := dial(t, outside)
	checkTaken(t, capture, "10.9.0.2:4000 SYN", outside+" SYN+ACK",
		a+" SYN", here+" SYN+ACK", a+" ACK",
		b+" SYN", inside+" SYN+ACK", b+" ACK",
		c+" SYN", outside+" SYN+ACK", c+" ACK")
	if lost := capture.Lost(); lost != 0 {
		t.Errorf("%d segments are lost", lost)
	}
}

// TestServersOfOtherMachines: of a server that another machine has, the segments of this
// machine's clients are taken, and not what this machine forwards.
func TestServersOfOtherMachines(t *testing.T) {
	tun := newDevice(t, unix.IFF_TUN, "tun0", "10.9.0.1")
	capture := startCapture(t, listen(t, "127.0.0.1"), false)
	const elsewhere = "10.8.0.9:8888"
	if err := capture.Add(netip.MustParseAddrPort(elsewhere)); err != nil {
		t.Fatal(err)
	}
	tun.arrive(t,
		packet("10.9.0.2:4000", elsewhere, wire.SYN, 0),
		packet(elsewhere, "10.9.0.2:4000", wire.SYN|wire.ACK, 0),
		packet("10.8.0.8:8888", "10.9.0.1:4000", wire.SYN|wire.ACK, 0),
		packet(elsewhere, "10.9.0.1:4001", wire.ACK, 0))
	checkTaken(t, capture, elsewhere+" ACK")
}

// TestAddingLosesNothing: servers are added one after the other while a connection's
// segments pass.
func TestAddingLosesNothing(t *testing.T) {
	const many = 2000
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	capture := startCapture(t, listener.Addr().String(), false)
	conn, client := dial(t, listener.Addr().String())
	accepted, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer accepted.Close()
	go func() {
		for range many {
			conn.Write([]byte{1})
		}
		conn.(*net.TCPConn).CloseWrite()
	}()
	for port := range uint16(wire.MostPorts - 1) {
		if err := capture.Add(netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), 1+port)); err != nil {
			t.Fatal(err)
		}
	}
	if read, err := io.ReadAll(accepted); len(read) != many {
		t.Fatalf("%d bytes, %v", len(read), err)
	}
	seen := 0
	for _, s := range taken(capture) {
		if s.From.String() == client {
			seen += s.Len
		}
	}
	if lost := capture.Lost(); seen != many || lost > 0 {
		t.Errorf("%d bytes were captured of %d, and %d segments lost", seen, many, lost)
	}
}
