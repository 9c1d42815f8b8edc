package sockets_test

import (
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/trace/sockets"
	"lbaws/trace/tracetest"
	"lbaws/trace/wire"
)

// gone is a connection whose peer has vanished.
type gone struct {
	fd     int // -1 if it never gets one
	remote netip.AddrPort
	last   sockets.Socket // what the kernel held of it last
	said   string         // when it was to be given up
	began  time.Time
	over   bool
}

// TestGivenUp: a peer vanishes, in four ways; and it is given up when GivenUpText says so.
func TestGivenUp(t *testing.T) {
	tracetest.Long(t)
	setSysctl(t, "net/ipv4/tcp_retries2", "2")
	setSysctl(t, "net/ipv4/tcp_synack_retries", "1")
	tunnel := tracetest.NewTunnel(t)
	k := sys.Unix{}
	must := func(fd int, err error) int {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return fd
	}
	listens := must(k.Socket(unix.AF_INET, unix.SOCK_STREAM, 0))
	defer k.Close(listens)
	must(0, k.Bind(listens, netip.AddrPortFrom(tracetest.HereIPv4, 0)))
	must(0, k.Listen(listens, 8))
	server := sockets.LocalAddress(listens)
	w, err := sockets.Open()
	must(0, err)
	w.Follow(server.Port())
	w.Follow(9)

	accepted := func(port uint16) *gone {
		p := tunnel.NewPeer(port, server)
		p.Send(wire.SYN, 0, 0, 0)
		p.Send(wire.ACK, 0, 0, 0)
		var peer sys.Sockaddr
		return &gone{fd: must(k.Accept(listens, &peer)), remote: p.Addr}
	}
	alive := accepted(3001)
	for option, value := range map[int]int{unix.TCP_KEEPIDLE: 1, unix.TCP_KEEPINTVL: 1, unix.TCP_KEEPCNT: 2} {
		must(0, unix.SetsockoptInt(alive.fd, unix.IPPROTO_TCP, option, value))
	}
	must(0, unix.SetsockoptInt(alive.fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1))
	writes := accepted(3002)
	must(k.Write(writes.fd, []byte("anybody there?")))
	half := tunnel.NewPeer(3003, server)
	half.Send(wire.SYN, 0, 0, 0)
	handshake := &gone{fd: -1, remote: half.Addr}
	nobody := netip.AddrPortFrom(tracetest.ThereIPv4, 9)
	connects := &gone{fd: must(unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK, 0)), remote: nobody}
	must(0, unix.SetsockoptInt(connects.fd, unix.IPPROTO_TCP, unix.TCP_SYNCNT, 1))
	setSysctl(t, "net/ipv4/tcp_syn_linear_timeouts", "0")
	unix.Connect(connects.fd, &unix.SockaddrInet4{Addr: nobody.Addr().As4(), Port: 9})

	all := map[string]*gone{
		"given up after 2 without an answer, 1 s apart":                  alive,
		"given up after 1.4 s at least (tcp_retries2)":                   writes,
		"given up after once at most (tcp_synack_retries)":               handshake,
		"given up after once (tcp_syn_retries, tcp_syn_linear_timeouts)": connects,
	}
	for _, g := range all {
		g.began = time.Now()
	}
	tracetest.Await(t, "the end of each connection", func() bool {
		changes, err := w.All()
		must(0, err)
		left := 0
		for _, g := range all {
			for i := range changes {
				c := &changes[i]
				if c.Remote != g.remote {
					continue
				}
				if g.last = c.Socket; c.Gone {
					g.over = true
				}
				if text := c.Socket.GivenUpText(); text != "" {
					g.said = text
				}
			}
			if !g.over {
				left++
			}
		}
		return left == 0
	})
	for want, g := range all {
		if g.said != want {
			t.Errorf("%q, want %q", g.said, want)
		}
		if g.fd < 0 {
			continue
		}
		if errno, _ := unix.GetsockoptInt(g.fd, unix.SOL_SOCKET, unix.SO_ERROR); errno != int(unix.ETIMEDOUT) {
			t.Errorf("%s: the error is %v", want, unix.Errno(errno))
		}
		k.Close(g.fd)
	}
	if took := time.Since(writes.began); took < 1400*time.Millisecond {
		t.Errorf("given up after %v", took)
	}
	for g, most := range map[*gone]int{alive: 2, handshake: 1, connects: 1} {
		if g.last.Again > most {
			t.Errorf("%s, and sent again %d times", g.said, g.last.Again)
		}
	}
}

// TestLimits: what is said of sockets whose peers do not answer.
func TestLimits(t *testing.T) {
	for name, value := range map[string]string{"tcp_retries2": "15", "tcp_orphan_retries": "0"} {
		setSysctl(t, "net/ipv4/"+name, value)
	}
	fd, err := sys.Unix{}.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err == nil {
		err = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, 3000)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	const established, again = wire.Established, sockets.Retransmission
	for _, c := range []struct {
		socket                    sockets.Socket
		again, keepalive, givenUp string
	}{
		{sockets.Socket{State: established, Timer: again, Again: 2, Left: 800 * time.Millisecond, Inode: 1, Descriptor: -1},
			"sent again 2 times, next in 0.8 s", "", "given up after 925 s at least (tcp_retries2)"},
		{sockets.Socket{State: established, Timer: again, Inode: 1, Descriptor: -1}, "sent again 0 times, next in 0.0 s", "", ""},
		{sockets.Socket{State: established, Timer: again, Again: 1, Inode: 1, Descriptor: fd},
			"sent again once, next in 0.0 s", "", "given up after 3.0 s (TCP_USER_TIMEOUT)"},
		{sockets.Socket{State: wire.FinWait1, Timer: again, Again: 1, Descriptor: -1},
			"sent again once, next in 0.0 s", "", "given up after 102 s at least (tcp_orphan_retries)"},
		{sockets.Socket{State: established, Timer: sockets.ZeroWindowProbe, Again: 1, Inode: 1, Descriptor: -1},
			"asked the peer for room once, again in 0.0 s", "", "given up after 15 without an answer (tcp_retries2)"},
		{sockets.Socket{State: established, Timer: sockets.Keepalive, Left: 7200 * time.Second, Inode: 1, Descriptor: -1},
			"", "keep-alive: the peer is asked in 7200 s", "given up after 9 without an answer, 75 s apart"},
		{sockets.Socket{State: established, Timer: sockets.Keepalive, Again: 1, Left: 75 * time.Second, Inode: 1, Descriptor: -1},
			"a keep-alive probe was sent once without an answer, next in 75 s", "", "given up after 9 without an answer, 75 s apart"},
		{sockets.Socket{State: wire.FinWait2, Timer: sockets.Keepalive, Left: time.Minute, Descriptor: -1}, "", "", ""},
		{sockets.Socket{State: wire.TimeWait, Timer: sockets.TimeWait, Left: time.Minute, Descriptor: -1}, "", "", ""},
	} {
		s := &c.socket
		if again := s.AgainText(); again != c.again && c.again != "" || s.KeepaliveText() != c.keepalive || s.GivenUpText() != c.givenUp {
			t.Errorf("%+v: %q, %q, %q", s, again, s.KeepaliveText(), s.GivenUpText())
		}
	}
}

// TestRepeatsOfSYN: to what tcp_syn_retries limits the repeats depends on how many of them come
// after a second each. (The order no-answer shows them.)
func TestRepeatsOfSYN(t *testing.T) {
	for _, c := range []struct{ retries, linear, want string }{
		{"1", "0", "once"}, {"6", "0", "6 times"}, {"1", "4", "2 times"}, {"2", "4", "5 times"}, {"3", "4", "7 times"}, {"6", "4", "10 times"}, {"127", "4", "131 times"},
	} {
		setSysctl(t, "net/ipv4/tcp_syn_retries", c.retries)
		setSysctl(t, "net/ipv4/tcp_syn_linear_timeouts", c.linear)
		s := sockets.Socket{State: wire.SynSent, Timer: sockets.Retransmission, Again: 1, Inode: 1, Descriptor: -1}
		if text := s.GivenUpText(); text != "given up after "+c.want+" (tcp_syn_retries, tcp_syn_linear_timeouts)" {
			t.Errorf("tcp_syn_retries %s, tcp_syn_linear_timeouts %s: %q", c.retries, c.linear, text)
		}
		if after, want := sockets.LimitText("tcp_syn_retries", 6), map[string]string{"0": "127 s", "4": "131 s"}[c.linear]; after != want {
			t.Errorf("tcp_syn_retries 6, tcp_syn_linear_timeouts %s: %q", c.linear, after)
		}
	}
}
