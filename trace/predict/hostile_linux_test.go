package predict

import (
	"fmt"
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/trace/sockets"
	"lbaws/trace/tracetest"
	"lbaws/trace/tracetest/predicttest"
)

// TestPredictServe: with three clients and a hostile one, each call of the server does what
// the panel says.
func TestPredictServe(t *testing.T) {
	tracetest.Long(t)
	tracetest.NeedCapture(t)
	for i, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := &served{Play: predicttest.NewPlay(t, *seed+uint64(i)), address: netip.MustParseAddrPort(kind + tracetest.FreePort(t)), blocker: -1}
			var err error
			if s.watch, err = sockets.Open(); err != nil {
				tracetest.Missing(t, err.Error())
			}
			defer s.Report()
			alive := false
			for n := 0; n < *steps && !t.Failed(); n++ {
				if n%100 == 0 && alive { // it starts on a port that has old connections
					s.Stop()
					alive = false
				}
				if !alive {
					s.open()
				}
				if alive = s.move(); !alive {
					s.Stop()
				}
			}
			if alive {
				s.Stop()
			}
			s.leave()
		})
	}
}

// served is a server under -step, and its clients, whose sockets do not block.
type served struct {
	*predicttest.Play
	address netip.AddrPort
	clients []int
	blocker int // a socket that may be in the way of bind, or -1
	full    bool
	watch   *sockets.Watch
}

// settle waits until nothing is under way: a flood goes on for a while by itself.
func (s *served) settle() {
	for _, fd := range s.clients {
		local := sockets.LocalAddress(fd)
		tracetest.Await(s.T, "the end of a flood", func() bool {
			settled, _, err := s.watch.Settled(local, sys.Reachable(s.address))
			return settled || err != nil
		})
	}
}

// open starts the server, perhaps with another socket on its port.
func (s *served) open() {
	s.leave()
	reuse := s.Random.IntN(4) > 0
	s.Reuses, s.full = map[bool]string{false: "no"}[reuse], false
	switch s.Random.IntN(4) {
	case 0: // it has nothing in common with the server's
		family, other := unix.AF_INET, netip.MustParseAddr("127.0.0.2")
		if !s.address.Addr().Is6() && s.address.Addr().IsUnspecified() {
			family, other = unix.AF_INET6, netip.IPv6Unspecified()
		} else if s.address.Addr().Is6() {
			break
		}
		s.listen(family, netip.AddrPortFrom(other, s.address.Port()), 1)
	case 1: // the server's includes it
		s.listen(unix.AF_INET, netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), s.address.Port()), 0)
	case 2: // it includes the server's
		s.listen(unix.AF_INET6, netip.AddrPortFrom(netip.IPv6Unspecified(), s.address.Port()), 0)
	}
	s.Start(s.Step(), "-segments", "-addr", s.address.String(), fmt.Sprintf("-reuseaddr=%v", reuse), "-backlog", []string{"128", "1", "100000"}[s.Random.IntN(3)])
}

// listen makes the socket that may be in the way.
func (s *served) listen(family int, at netip.AddrPort, v6Only int) {
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		s.T.Fatal(err)
	}
	s.blocker = fd
	unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	if family == unix.AF_INET6 {
		unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, v6Only)
	}
	if err := (sys.Unix{}).Bind(fd, at); err == unix.EADDRINUSE { // an old connection's socket has no SO_REUSEADDR
		s.leave()
		return
	} else if err != nil {
		s.T.Fatalf("bind %v: %v", at, err)
	}
	if err := (sys.Unix{}).Listen(fd, 1); err != nil {
		s.T.Fatalf("listen %v: %v", at, err)
	}
}

// leave closes all sockets of the test.
func (s *served) leave() {
	for _, fd := range append(s.clients, s.blocker) {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
	s.clients, s.blocker = nil, -1
}

// move makes the server's next call, or lets a client do something.
func (s *served) move() (alive bool) {
	_, call, _, can := s.Next()
	if can && s.Random.IntN(100) < 55 {
		s.settle()
		if !s.Sync() {
			return false
		}
		return s.Make()
	}
	switch r := s.Random.IntN(100); {
	case can && slices.Contains([]string{"socket", "setsockopt", "bind", "listen", "getsockname"}, call):
		return s.Make()
	case r < 3 || s.full && r < 40:
		s.limit(!s.full)
	case r < 30 && len(s.clients) < 4 || len(s.clients) == 0:
		s.connect()
	default:
		s.harm(s.Random.IntN(len(s.clients)))
	}
	return s.Sync()
}

// limit lets the server have no descriptor but those of its listening socket, or as many as
// it likes.
func (s *served) limit(full bool) {
	var limit unix.Rlimit
	pid := s.Process.Cmd.Process.Pid
	if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, nil, &limit); err != nil {
		s.T.Fatal(err)
	}
	if limit.Cur = limit.Max; full {
		limit.Cur = 4
	}
	if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, &limit, nil); err != nil {
		s.T.Fatal(err)
	}
	s.full = full
}

func (s *served) connect() {
	to := sys.Reachable(s.address)
	fd, err := unix.Socket(sys.Family(to), unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		s.T.Fatal(err)
	}
	(sys.Unix{}).Connect(fd, to)
	s.clients = append(s.clients, fd)
}

// harm does to the server what a client can do.
func (s *served) harm(i int) {
	fd := s.clients[i]
	switch s.Random.IntN(11) {
	case 0: // it drips
		unix.Write(fd, []byte("G"))
	case 1, 2:
		unix.Write(fd, []byte("GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"))
	case 3:
		unix.Write(fd, make([]byte, 3000))
	case 4: // it floods
		for err := error(nil); err == nil; {
			_, err = unix.Write(fd, make([]byte, 65536))
		}
	case 5:
		unix.Read(fd, make([]byte, 20))
	case 6, 7:
		unix.Shutdown(fd, unix.SHUT_WR)
	case 8: // in one go: the server's kernel tells only of the end
		unix.Write(fd, []byte("GET"))
		if s.Random.IntN(2) == 0 {
			unix.Shutdown(fd, unix.SHUT_WR)
		}
		s.reset(i)
	case 9:
		s.reset(i)
	case 10:
		if s.Random.IntN(3) == 0 {
			s.kill(fd)
			break
		}
		unix.Close(fd)
		s.clients = slices.Delete(s.clients, i, i+1)
	}
}

// reset sends a RST.
func (s *served) reset(i int) {
	unix.SetsockoptLinger(s.clients[i], unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	unix.Close(s.clients[i])
	s.clients = slices.Delete(s.clients, i, i+1)
}

// kill ends the server's connection with a client as ss -K does: with ECONNABORTED.
func (s *served) kill(fd int) {
	local := sockets.LocalAddress(fd)
	command := fmt.Sprintf("ss -K sport = :%d and dport = :%d", s.address.Port(), local.Port())
	if output, err := exec.Command(tracetest.Need(s.T, "ss", "iproute2"), strings.Fields(command)[1:]...).CombinedOutput(); err != nil {
		s.T.Fatalf("%s: %v\n%s", command, err, output)
	}
	s.Killed = true
}
