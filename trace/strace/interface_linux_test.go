package strace_test

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/trace/event"
	"lbaws/trace/strace"
	"lbaws/trace/tracetest"
)

// TestInterfaceName: the kernel lets an interface have nearly any name. It is written with
// escapes, as strace writes it.
func TestInterfaceName(t *testing.T) {
	const name = "a\"\x1b[31m"
	tracetest.NewDevice(t, unix.IFF_TUN, name)
	device, err := net.InterfaceByName(name)
	if err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	e := &event.Event{Call: event.Bind, Args: [5]event.Arg{{Int: fd}, {Addr: new(sys.Sockaddr)}}}
	e.Args[1].Addr.Set(netip.MustParseAddrPort(fmt.Sprintf("[fe80::1%%%d]:80", device.Index)))
	line := string(new(strace.Writer).AppendBegin(nil, e))
	if !strings.HasSuffix(line, `sin6_scope_id=if_nametoindex("a\"\33[31m")}, 0`) {
		t.Errorf("%q", line)
	}
}
