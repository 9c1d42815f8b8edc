package wire_test

import (
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"lbaws/trace/wire"
)

// openCapture captures, or skips the test where that is not allowed; in CI it
// fails.
func openCapture(t *testing.T, server net.Addr, remote bool) *wire.Capture {
	t.Helper()
	capture, err := wire.OpenCapture(server.(*net.TCPAddr).AddrPort(), remote, false)
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skipf("segments cannot be captured (%v): run the test as root on Linux", err)
	}
	return capture
}

// TestCaptureOfOneClient: segments are held until the client is named, and then
// its own are there, and no other's.
func TestCaptureOfOneClient(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	capture := openCapture(t, listener.Addr(), true)
	began := time.Now()
	var conns []net.Conn
	for range 3 {
		conn, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conns = append(conns, conn)
	}
	if s := capture.Next(time.Now()); s != nil {
		t.Errorf("%v before the client is named", s)
	}
	wanted := conns[1].LocalAddr().(*net.TCPAddr).AddrPort()
	capture.Only(wanted, began)
	io.WriteString(conns[0], "another's")
	io.WriteString(conns[1], "its own")
	var flags []string
	last := began
	for s := capture.Next(time.Now()); s != nil; s = capture.Next(time.Now()) {
		if s.From != wanted && s.To != wanted {
			t.Errorf("a segment from %v to %v", s.From, s.To)
		}
		if s.Time.Before(last) {
			t.Errorf("%v comes after %v", s.Time, last)
		}
		last = s.Time
		flags = append(flags, s.Flags.String())
	}
	if got, want := strings.Join(flags, " "), "SYN SYN+ACK ACK PSH+ACK ACK"; got != want {
		t.Errorf("segments %s, want %s", got, want)
	}
}

// TestCaptureOfFailedConnect: a client whose connect failed has no address any
// more; its SYN tells.
func TestCaptureOfFailedConnect(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr()
	listener.Close()
	capture := openCapture(t, address, true)
	began := time.Now()
	if conn, err := net.Dial("tcp", address.String()); err == nil {
		conn.Close()
		t.Fatal("somebody listens there")
	}
	capture.Only(netip.AddrPort{}, began)
	var flags []string
	for s := capture.Next(time.Now()); s != nil; s = capture.Next(time.Now()) {
		flags = append(flags, s.Flags.String())
	}
	if got, want := strings.Join(flags, " "), "SYN RST+ACK"; got != want {
		t.Errorf("segments %s, want %s", got, want)
	}
}
