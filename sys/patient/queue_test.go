package patient

import (
	"errors"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"

	"lbaws/sys"
)

// TestConnectionWaits: from the client's connect to the server's accept.
func TestConnectionWaits(t *testing.T) {
	var k sys.Unix
	listening, _ := k.Socket(unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_IP)
	client, _ := k.Socket(unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_IP)
	defer k.Close(client)
	var addr sys.Sockaddr
	if err := errors.Join(k.Bind(listening, netip.MustParseAddrPort("127.0.0.1:0")), k.Listen(listening, 1), k.Getsockname(listening, &addr)); err != nil {
		t.Fatal(err)
	}
	before := connectionWaits(listening)
	if err := k.Connect(client, addr.AddrPort()); err != nil {
		t.Fatal(err)
	}
	queued := connectionWaits(listening)
	connected, _ := k.Accept(listening, &addr)
	defer k.Close(connected)
	after := connectionWaits(listening)
	k.Shutdown(listening, unix.SHUT_RD)
	down := connectionWaits(listening)
	k.Close(listening)
	if before || !queued || after || down || connectionWaits(listening) || connectionWaits(-1) {
		t.Errorf("before connect %v, then %v, after accept %v, after shutdown %v, after close %v",
			before, queued, after, down, connectionWaits(listening))
	}
}
