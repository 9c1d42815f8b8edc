package wire_test

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"runtime"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lbaws/trace/tracetest"
	"lbaws/trace/wire"
)

// TestDamagedSegments: a checksum that is wrong is seen, and none that is not
// there, not needed, or not to be judged.
func TestDamagedSegments(t *testing.T) {
	tun := newDevice(t, unix.IFF_TUN, "tun0", "10.9.0.1")
	control(t, unix.SIOCSIFMTU, "tun0", func(r *unix.Ifreq) error { r.SetUint32(9000); return nil })
	capture := startCapture(t, "0.0.0.0:8888", false)
	capture6 := startCapture(t, "[fd00::1]:8888", false)
	const client, server, client6, server6 = "10.9.0.2:4000", "10.9.0.1:8888", "[fd00::2]:4000", "[fd00::1]:8888"
	options := packet(client, server, wire.ACK, 300)
	options[0], options[3] = 0x46, options[3]-4 // the data are no longer what they were; they are not looked at
	for _, c := range []struct {
		name    string
		packet  []byte
		capture *wire.Capture
		damaged bool
	}{
		{"whole", packet(client, server, wire.ACK, 1452), capture, false},
		{"odd", packet(client, server, wire.ACK, 3), capture, false},
		{"without data", packet(client, server, wire.SYN, 0), capture, false},
		{"spoilt", spoilt(packet(client, server, wire.ACK, 1452)), capture, true},
		{"odd and spoilt", spoilt(packet(client, server, wire.ACK, 3)), capture, true},
		{"without data and spoilt", spoilt(packet(client, server, wire.SYN, 0)), capture, true},
		{"padded", append(packet(client, server, wire.SYN, 0), 1, 2, 3), capture, false},
		{"larger than a frame", spoilt(packet(client, server, wire.ACK, 6000)), capture, false},
		{"IPv6", packet(client6, server6, wire.ACK, 99), capture6, false},
		{"IPv6, spoilt", spoilt(packet(client6, server6, wire.ACK, 99)), capture6, true},
	} {
		tun.arrive(t, c.packet)
		segments := slices.DeleteFunc(taken(c.capture), func(s wire.Segment) bool { return s.From.Port() == 8888 })
		if len(segments) != 1 || segments[0].Damaged != c.damaged {
			t.Errorf("%s: %v", c.name, segments)
		}
	}
}

// TestLoopbackSegments: on the loopback interface each segment is taken once, and
// when the call that sends it returns, it is there. None is damaged, although nobody
// computes a checksum there. A client may come from an address of another interface,
// and from the server's port.
func TestLoopbackSegments(t *testing.T) {
	newDevice(t, unix.IFF_TUN, "tun0", "10.9.0.1")
	for _, c := range []struct{ server, client, to string }{
		{"127.0.0.1:", "127.0.0.1", "127.0.0.1:"},
		{"127.0.0.2:", "127.0.0.1", "127.0.0.2:"},
		{"127.0.0.1:", "10.9.0.1", "127.0.0.1:"},
		{"127.0.0.1:", "127.0.0.2", "127.0.0.1:"}, // from the same port
		{"[::1]:", "::1", "[::1]:"},
		{"10.9.0.1:", "10.9.0.1", "10.9.0.1:"},
		{"0.0.0.0:", "127.0.0.1", "127.0.0.1:"},
		{"[::]:", "127.0.0.1", "127.0.0.1:"},
		{"[::]:", "::1", "[::1]:"},
	} {
		port := tracetest.FreePort(t)
		listener, err := net.Listen("tcp", c.server+port)
		if err != nil {
			t.Fatal(err)
		}
		capture := startCapture(t, c.server+port, false)
		from := &net.TCPAddr{IP: net.ParseIP(c.client)}
		if c.client == "127.0.0.2" {
			from.Port = listener.Addr().(*net.TCPAddr).Port
		}
		dialer := net.Dialer{LocalAddr: from}
		conn, err := dialer.Dial("tcp", c.to+port)
		if err != nil {
			t.Fatal(err)
		}
		client, server := conn.LocalAddr().String(), c.to+port
		checkTaken(t, capture, client+" SYN", server+" SYN+ACK", client+" ACK")
		conn.Write(make([]byte, 10))
		checkTaken(t, capture, client+" PSH+ACK", server+" ACK")
		conn.(*net.TCPConn).SetLinger(0)
		conn.Close()
		checkTaken(t, capture, client+" RST+ACK")
		listener.Close()
	}
}

// TestForwardedSegments: what passes between other machines is not the server's,
// nor is what this machine's clients send to other servers of that port.
func TestForwardedSegments(t *testing.T) {
	tracetest.Long(t)
	tun := newDevice(t, unix.IFF_TUN, "tun0", "10.9.0.1")
	capture := startCapture(t, "0.0.0.0:8888", false)
	tun.arrive(t,
		packet("10.9.0.2:4000", "10.8.0.9:8888", wire.SYN, 0),
		packet("10.8.0.9:8888", "10.9.0.2:4000", wire.SYN|wire.ACK, 0),
		packet("10.8.0.9:8888", "10.9.0.1:4000", wire.ACK, 0))
	checkTaken(t, capture)
	tun.arrive(t, packet("10.9.0.2:4000", "10.9.0.1:8888", wire.SYN, 0))
	checkTaken(t, capture, "10.9.0.2:4000 SYN", "10.9.0.1:8888 RST+ACK")
	// The address comes later.
	newDevice(t, unix.IFF_TUN, "tun1", "10.8.0.9")
	tracetest.Await(t, "segments of the new address", func() bool {
		tun.arrive(t, packet("10.9.0.2:4001", "10.8.0.9:8888", wire.SYN, 0))
		return len(taken(capture)) > 0
	})
}

// TestClientAmongOthers: a client whose connect failed has no address any more;
// its SYN tells, and not that of another machine.
func TestClientAmongOthers(t *testing.T) {
	tun := newDevice(t, unix.IFF_TUN, "tun0", "10.9.0.1")
	began := time.Now()
	capture := startCapture(t, "10.9.0.2:8888", true)
	tun.arrive(t, packet("10.8.0.9:4000", "10.9.0.2:8888", wire.SYN, 0))
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Port: 4001, Addr: [4]byte{10, 9, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Connect(fd, &unix.SockaddrInet4{Port: 8888, Addr: [4]byte{10, 9, 0, 2}}); err != unix.EINPROGRESS {
		t.Fatal(err)
	}
	unix.Close(fd)
	capture.Only(netip.AddrPort{}, began)
	checkTaken(t, capture, "10.9.0.1:4001 SYN")
}

// TestCaptureOfOneClient: segments are held until the client is named, and then
// its own are there, and no other's.
func TestCaptureOfOneClient(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	server := listener.Addr().String()
	capture := startCapture(t, server, true)
	began := time.Now()
	var conns [3]net.Conn
	for i := range conns {
		conns[i] = tracetest.Dial(t, server)
		defer conns[i].Close()
	}
	checkTaken(t, capture)
	client := conns[1].LocalAddr().String()
	capture.Only(netip.MustParseAddrPort(client), began)
	conns[0].Write([]byte("another's"))
	conns[1].Write([]byte("its own"))
	checkTaken(t, capture, client+" SYN", server+" SYN+ACK", client+" ACK", client+" PSH+ACK", server+" ACK")
}

// TestTwoPaths: what comes on one interface may be answered on another.
func TestTwoPaths(t *testing.T) {
	first := newDevice(t, unix.IFF_TUN, "tun0", "10.9.1.1")
	newDevice(t, unix.IFF_TUN, "tun1", "10.9.2.1")
	for _, server := range []string{"0.0.0.0:8888", "10.9.1.1:8888"} {
		capture := startCapture(t, server, false)
		first.arrive(t, packet("10.9.2.9:4000", "10.9.1.1:8888", wire.SYN, 0))
		checkTaken(t, capture, "10.9.2.9:4000 SYN", "10.9.1.1:8888 RST+ACK")
	}
}

// TestBridge: what passes a bridge is seen on two interfaces, and is taken once.
// After a while without a segment, the other interface may be the way.
func TestBridge(t *testing.T) {
	tracetest.Long(t)
	ip := tracetest.Need(t, "ip", "iproute2")
	tap := newDevice(t, unix.IFF_TAP, "tap0", "")
	tun := newDevice(t, unix.IFF_TUN, "tun0", "")
	for _, args := range [][]string{
		{"link", "add", "br0", "type", "bridge"}, {"link", "set", "tap0", "master", "br0"},
		{"address", "add", "10.9.3.1/24", "dev", "br0"}, {"link", "set", "br0", "address", "02:00:00:00:00:01", "up"},
		{"neighbour", "add", "10.9.3.2", "lladdr", "02:00:00:00:00:02", "dev", "br0"},
	} {
		if output, err := exec.Command(ip, args...).CombinedOutput(); err != nil {
			tracetest.Missing(t, fmt.Sprintf("no bridge: ip %q: %v: %s", args, err, output))
		}
	}
	defer exec.Command(ip, "link", "delete", "br0").Run()
	tracetest.Await(t, "the bridge to forward", func() bool {
		state, _ := exec.Command(ip, "-details", "link", "show", "tap0").Output()
		return bytes.Contains(state, []byte("state forwarding"))
	})
	capture := startCapture(t, "0.0.0.0:8888", false)
	const client = "10.9.3.2:4000"
	syn := packet(client, "10.9.3.1:8888", wire.SYN, 0)
	header := []byte{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0}
	tap.arrive(t, append(header, syn...), append(header, syn...))
	checkTaken(t, capture, client+" SYN", "10.9.3.1:8888 RST+ACK", client+" SYN", "10.9.3.1:8888 RST+ACK")
	tun.arrive(t, syn)
	checkTaken(t, capture, "10.9.3.1:8888 RST+ACK")
	tracetest.Await(t, "the way to have changed, after a second without a segment on the bridge", func() bool {
		tun.arrive(t, syn)
		return slices.Equal(senders(taken(capture)), []string{client + " SYN", "10.9.3.1:8888 RST+ACK"})
	})
}

// TestExtensionHeaders: a segment behind them is a segment.
func TestExtensionHeaders(t *testing.T) {
	tun := newDevice(t, unix.IFF_TUN, "tun0", "")
	capture := startCapture(t, "[fd00::1]:8888", false)
	segment := tcp(4000, 8888, 0, 0, wire.SYN, 0, 0)
	for _, number := range []byte{unix.IPPROTO_HOPOPTS, unix.IPPROTO_ROUTING, unix.IPPROTO_DSTOPTS} {
		tun.arrive(t, ipv6("fd00::2", "fd00::1", number, append([]byte{unix.IPPROTO_TCP, 0, 0, 0, 1, 2, 0, 0}, segment...)))
		checkTaken(t, capture, "[fd00::2]:4000 SYN")
	}
	other := tcp(4000, 8889, 0, 0, wire.SYN, 0, 0)
	tun.arrive(t, ipv6("fd00::2", "fd00::1", unix.IPPROTO_HOPOPTS, append([]byte{unix.IPPROTO_TCP, 0, 0, 0, 1, 2, 0, 0}, other...)))
	checkTaken(t, capture)
}

// TestBurst: of more SYNs than there is room for, each is either taken or counted
// as lost, and they do not take long.
func TestBurst(t *testing.T) {
	tracetest.Long(t)
	tun := newDevice(t, unix.IFF_TUN, "tun0", "10.9.0.1")
	const many = 60000
	for _, server := range []string{"0.0.0.0:8888", "10.9.0.1:8888"} {
		for _, looks := range []int{0, 100} {
			capture := startCapture(t, server, false)
			began := time.Now()
			syn := packet("10.7.0.0:4000", "10.9.0.1:8888", wire.SYN, 0)
			seen := 0
			var reading time.Duration
			for i := range many {
				syn[14], syn[15] = byte(i>>8), byte(i)
				tun.arrive(t, syn)
				if looks > 0 && i%(many/looks) == 0 { // none of them is so old
					from := time.Now()
					if s := capture.Next(began); s != nil {
						t.Fatalf("%v", s)
					}
					reading += time.Since(from)
				}
			}
			from := time.Now()
			for _, s := range taken(capture) {
				if s.From.Port() == 4000 {
					seen++
				}
			}
			reading += time.Since(from)
			lost := capture.Lost()
			t.Logf("%s, %d looks: %d taken and %d lost in %v", server, looks, seen, lost, reading)
			const other = 20 // packets with extension headers, which may be lost too
			if all := seen + lost; all < many || all > many+other || seen < 2000 {
				t.Errorf("%s: %d taken and %d lost of %d", server, seen, lost, many)
			}
			if reading > 5*time.Second {
				t.Errorf("%s: it took %v to read them", server, reading)
			}
		}
	}
}

// TestKernelTime: a segment has the time at which it passed, from the first one
// on, and whenever it is taken.
func TestKernelTime(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	for range 20 {
		capture := startCapture(t, listener.Addr().String(), false)
		before := time.Now()
		conn := tracetest.Dial(t, listener.Addr().String())
		after := time.Now()
		defer conn.Close()
		segments := taken(capture)
		for _, s := range segments[:2] {
			if s.Time.Before(before.Round(0)) || s.Time.After(after.Round(0)) {
				t.Errorf("%v passed between %v and %v, and not then", s, before, after)
			}
		}
	}
}

// TestWait: a segment that was read and not taken yet is worth no waiting, and a
// signal ends no wait.
func TestWait(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	capture := startCapture(t, listener.Addr().String(), false)
	wait := func() bool {
		began := time.Now()
		capture.Wait(200 * time.Millisecond)
		return time.Since(began) > 200*time.Millisecond
	}
	runtime.LockOSThread()
	waited, thread := make(chan struct{}), unix.Gettid()
	go func() {
		for {
			select {
			case <-waited:
				return
			case <-time.After(time.Millisecond):
				unix.Tgkill(unix.Getpid(), thread, unix.SIGURG)
			}
		}
	}()
	if !wait() {
		t.Error("nothing has come, and it did not wait")
	}
	close(waited)
	began := time.Now()
	conn := tracetest.Dial(t, listener.Addr().String())
	defer conn.Close()
	if capture.Next(began) != nil {
		t.Error("a segment from before")
	}
	if wait() {
		t.Error("it waited, and a segment is there")
	}
	if len(taken(capture)) != 3 {
		t.Error("the handshake is not there")
	}
	if !wait() {
		t.Error("everything was taken, and it did not wait")
	}
}
