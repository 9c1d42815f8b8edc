package sockets

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"lbaws/trace/wire"
)

// TestQuestionOfOnePort: for one port the program is the one of ss: local, or else remote.
func TestQuestionOfOnePort(t *testing.T) {
	want := []op{{localEqual, 8, 12}, {no: 8888}, {jump, 4, 12}, {remoteEqual, 8, 12}, {no: 8888}}
	if got := portProgram(nil, []uint16{8888}); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if offset := unsafe.Offsetof(allRequest{}.program); offset != 16+60+4 {
		t.Errorf("the program stands at %d", offset)
	}
}

// TestListenersSideBySide: sockets that listen on the same address are two, although the
// kernel finds one of them by that.
func TestListenersSideBySide(t *testing.T) {
	config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) (err error) {
		c.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1) })
		return err
	}}
	address := "127.0.0.1:0"
	w, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	var listeners []net.Listener
	for range 3 {
		listener, err := config.Listen(t.Context(), "tcp4", address)
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		address = listener.Addr().String()
		listeners = append(listeners, listener)
	}
	w.Follow(netip.MustParseAddrPort(address).Port())
	if changes, err := w.All(); err != nil || len(changes) != 3 {
		t.Fatalf("%v, %+v", err, changes)
	}
	w.dumps[notOver].took = 1 << 40
	for range 5 {
		if changes, err := w.Ask(0, -1); err != nil || len(changes) != 0 {
			t.Fatalf("%v, %+v", err, changes)
		}
	}
	listeners[1].Close()
	changes, err := w.All()
	if err != nil || len(changes) != 1 || !changes[0].Gone || len(w.held) != 2 {
		t.Errorf("%v, %+v", err, changes)
	}
}

// BenchmarkPorts measures what it costs to ask for all sockets of some ports, beside some
// connections of other ones.
//
//	go test -run '^$' -bench Ports ./trace/sockets
func BenchmarkPorts(b *testing.B) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer listener.Close()
	for range 200 {
		conn, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			b.Fatal(err)
		}
		defer conn.Close()
	}
	for _, n := range []int{1, 8, wire.MostPorts} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			a, err := newAsker()
			if err != nil {
				b.Fatal(err)
			}
			defer unix.Close(a.fd)
			var ports []uint16 // which nobody has
			for port := range uint16(n) {
				ports = append(ports, 1+port)
			}
			for b.Loop() {
				if _, err := a.all(ports, ^statesOver); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
