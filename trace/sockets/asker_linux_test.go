package sockets_test

import (
	"fmt"
	"net/netip"
	"os"
	"testing"

	"lbaws/trace/sockets"
	"lbaws/trace/tracetest"
)

// inodeOf returns the inode of the socket to which a process's descriptor leads.
func inodeOf(t testing.TB, pid, fd int) (inode uint32) {
	t.Helper()
	link, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", pid, fd))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscanf(link, "socket:[%d]", &inode); err != nil {
		t.Fatalf("%s: %v", link, err)
	}
	return inode
}

func newAsker(t testing.TB) *sockets.Asker {
	t.Helper()
	a, err := sockets.OpenAsker()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	return a
}

// TestIsOpen: a socket is open until the last descriptor is closed that leads to it: its own
// process's, a child's, or one that is under way to another process. An Asker and a Watch
// say the same.
func TestIsOpen(t *testing.T) {
	nobody := netip.AddrPort{}
	for _, address := range []string{"127.0.0.1", "::1", "0.0.0.0", "::", "::ffff:127.0.0.1"} {
		p := newPuppet(t)
		port := p.do(`
a = %q; l = socket.socket(socket.AF_INET6 if ":" in a else socket.AF_INET)
l.bind((a, 0)); l.listen(); print(l.getsockname()[1], end="")`, address)
		local := netip.AddrPortFrom(netip.MustParseAddr(address), uint16(port))
		conn := tracetest.Dial(t, local.String())
		remote := netip.MustParseAddrPort(conn.LocalAddr().String())
		listening, connected := inodeOf(t, p.pid, p.do("print(l.fileno(), end='')")), inodeOf(t, p.pid, p.accept())
		own := netip.MustParseAddrPort(conn.RemoteAddr().String()) // where the connected one is

		a, w := newAsker(t), watch(t, func() (*sockets.Watch, error) { return sockets.OpenFor(p.pid) })
		check := func(when string, inode uint32, local, remote netip.AddrPort, want bool) {
			t.Helper()
			for name, is := range map[string]func(uint32, netip.AddrPort, netip.AddrPort) (bool, error){"asker": a.IsOpen, "watch": w.IsOpen} {
				if open, err := is(inode, local, remote); err != nil || open != want {
					t.Errorf("%s, %s: %s: open %v, %v, want %v", address, name, when, open, err, want)
				}
			}
		}
		check("both have come to be", connected, own, remote, true)
		check("both have come to be", listening, local, nobody, true)
		check("another inode", connected+1, own, remote, false)
		check("another inode", listening+1, local, nobody, false)
		check("no inode", 0, own, remote, false)
		check("nobody's address", connected, own, netip.AddrPortFrom(remote.Addr(), 1), false)
		p.fork()
		p.do("l.close(); c.close()")
		check("the child has them", connected, own, remote, true)
		check("the child has it", listening, local, nobody, true)
		p.endChild()
		check("the child has ended", connected, own, remote, false)
		check("the child has ended", listening, local, nobody, false)
	}
}

// TestIsOpenUnderWay: a descriptor that nobody has taken out of a Unix socket's queue counts.
func TestIsOpenUnderWay(t *testing.T) {
	p, a := newPuppet(t), newAsker(t)
	local, remote, fd := meet(t, p)
	inode := inodeOf(t, p.pid, fd)
	p.do("u, v = socket.socketpair(); socket.send_fds(u, [b'x'], [c.fileno()]); c.close()")
	for _, want := range []bool{true, false} {
		if open, err := a.IsOpen(inode, local, remote); err != nil || open != want {
			t.Errorf("open %v, %v, want %v", open, err, want)
		}
		p.do("u.close(); v.close()")
	}
}

// TestIsOpenSideBySide: of several sockets that listen on the same address each is open until
// it is closed.
func TestIsOpenSideBySide(t *testing.T) {
	p, a := newPuppet(t), newAsker(t)
	port := p.do(`
def listen(port):
	l = socket.socket(); l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
	l.bind(("127.0.0.1", port)); l.listen(); return l
a = listen(0); port = a.getsockname()[1]; b = listen(port); c = listen(port); print(port, end="")`)
	local := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(port))
	var inodes []uint32
	for _, name := range []string{"a", "b", "c"} {
		inodes = append(inodes, inodeOf(t, p.pid, p.do("print(%s.fileno(), end='')", name)))
	}
	p.do("b.close()")
	for i, want := range []bool{true, false, true} {
		if open, err := a.IsOpen(inodes[i], local, netip.AddrPort{}); err != nil || open != want {
			t.Errorf("%d: open %v, %v, want %v", i, open, err, want)
		}
	}
}

// BenchmarkIsOpen measures what it costs to ask whether a socket is open: a connected one,
// one of several that listen side by side, and one that is not there.
//
//	go test -run '^$' -bench IsOpen ./trace/sockets
func BenchmarkIsOpen(b *testing.B) {
	a := newAsker(b)
	listener, _ := listenOn(b)
	client, _ := connectTo(b, listener)
	local, remote := netip.MustParseAddrPort(client.LocalAddr().String()), netip.MustParseAddrPort(listener.Addr().String())
	raw, err := client.SyscallConn()
	if err != nil {
		b.Fatal(err)
	}
	var inode uint32
	raw.Control(func(fd uintptr) { inode = inodeOf(b, os.Getpid(), int(fd)) })
	for _, c := range []struct {
		name          string
		local, remote netip.AddrPort
	}{{"connected", local, remote}, {"besides", remote, netip.AddrPort{}}, {"nobody", local, netip.AddrPortFrom(remote.Addr(), 1)}} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if open, err := a.IsOpen(inode, c.local, c.remote); err != nil || open != (c.name == "connected") {
					b.Fatal(open, err)
				}
			}
		})
	}
}
