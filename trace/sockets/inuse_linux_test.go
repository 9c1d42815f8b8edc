package sockets_test

import (
	"net"
	"net/netip"
	"regexp"
	"testing"

	"lbaws/trace/sockets"
)

// TestInUse: of the sockets that have an address, the one that listens is named first, then
// the connections, and those that are bound and idle only where they are in the way.
func TestInUse(t *testing.T) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	address := netip.MustParseAddrPort(listener.Addr().String())
	for range 3 {
		client, err := net.Dial("tcp4", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		server, err := listener.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer server.Close()
	}
	const connection = `a connection with 127\.0\.0\.1:\d+ is in ESTABLISHED`
	want := regexp.MustCompile(`^a socket listens on 127\.0\.0\.1:\d+; ` + connection + `; ` + connection + `; and 1 more$`)
	for _, idle := range []bool{false, true} {
		if got := sockets.InUse(address, idle); !want.MatchString(got) {
			t.Errorf("idle ones %v: %s", idle, got)
		}
	}
}
