package sys_test

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"

	"lbaws/sys"
)

// A connection of a process to itself, call by call: the books' figure 4.1.
func ExampleKernel() {
	var kernel sys.Kernel = sys.Unix{}
	var local, peer sys.Sockaddr

	listening, _ := kernel.Socket(unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_IP)
	kernel.Bind(listening, netip.MustParseAddrPort("127.0.0.1:0"))
	kernel.Listen(listening, 1)
	kernel.Getsockname(listening, &local)

	client, _ := kernel.Socket(unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_IP)
	kernel.Connect(client, local.AddrPort())
	connected, _ := kernel.Accept(listening, &peer)
	fmt.Println("accepted a client on", peer.AddrPort().Addr())

	buffer := make([]byte, 1024)
	kernel.Write(client, []byte("GET /hello HTTP/1.1\r\n\r\n"))
	n, _ := kernel.Read(connected, buffer)
	fmt.Printf("the server reads %q\n", buffer[:n])

	kernel.Close(connected)
	n, _ = kernel.Read(client, buffer)
	fmt.Println("the client reads", n, "bytes: the end of file")

	kernel.Close(client)
	kernel.Close(listening)
	// Output:
	// accepted a client on 127.0.0.1
	// the server reads "GET /hello HTTP/1.1\r\n\r\n"
	// the client reads 0 bytes: the end of file
}

func ExampleError() {
	err := sys.Fail("bind", "0.0.0.0:8888", unix.EADDRINUSE)
	fmt.Println(err)
	fmt.Println(errors.Is(err, unix.EADDRINUSE))
	// Output:
	// bind 0.0.0.0:8888: EADDRINUSE, address already in use
	// true
}

func ExampleUnix() {
	_, err := sys.Unix{}.Read(-1, make([]byte, 1024))
	fmt.Println(errors.Is(err, unix.EBADF), err)
	// Output:
	// true bad file descriptor
}

func ExampleSockaddr() {
	var s sys.Sockaddr
	s.Set(netip.MustParseAddrPort("[::1]:8888"))
	fmt.Println(s.Family() == unix.AF_INET6, s.Len(), s.AddrPort())
	// Output:
	// true 28 [::1]:8888
}

func TestSockaddr(t *testing.T) {
	for _, c := range []struct {
		addr   string
		family int
		len    int
		scope  uint32
	}{
		{"0.0.0.0:0", unix.AF_INET, unix.SizeofSockaddrInet4, 0},
		{"192.0.2.1:65535", unix.AF_INET, unix.SizeofSockaddrInet4, 0},
		{"[::]:8888", unix.AF_INET6, unix.SizeofSockaddrInet6, 0},
		{"[2001:db8::1]:258", unix.AF_INET6, unix.SizeofSockaddrInet6, 0},
		{"[::ffff:192.0.2.1]:1", unix.AF_INET6, unix.SizeofSockaddrInet6, 0},
		{"[fe80::1%7]:80", unix.AF_INET6, unix.SizeofSockaddrInet6, 7},
	} {
		addr := netip.MustParseAddrPort(c.addr)
		var s sys.Sockaddr
		s.Set(addr)
		if s.AddrPort() != addr || s.Family() != c.family || s.Len() != c.len || s.ScopeID() != c.scope || s.Flowinfo() != 0 {
			t.Errorf("%v: %v, family %d, %d bytes, scope %d, flow %d", addr, s.AddrPort(), s.Family(), s.Len(), s.ScopeID(), s.Flowinfo())
		}
	}
	var empty sys.Sockaddr
	if empty.AddrPort().IsValid() || empty.Family() != 0 {
		t.Errorf("the zero value is %v", empty.AddrPort())
	}
}
