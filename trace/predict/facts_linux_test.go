package predict

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/trace/event"
	"lbaws/trace/sockets"
	"lbaws/trace/tracetest"
	"lbaws/trace/wire"
)

// TestPredictAddresses: which sockets are in the way of bind, and which one a client gets
// to, is as the kernel has it.
func TestPredictAddresses(t *testing.T) {
	addresses := []string{"0.0.0.0", "127.0.0.1", "127.0.0.2", "::", "::1"}
	const setting = "/proc/sys/net/ipv6/bindv6only"
	before, err := os.ReadFile(setting)
	if err != nil {
		tracetest.Missing(t, err.Error())
	}
	defer os.WriteFile(setting, before, 0)
	w := newWorld(t)
	for _, first := range addresses {
		for _, second := range []string{"127.0.0.1", "0.0.0.0", "::"} {
			for mode := range 8 {
				only, listens := mode&1 > 0, mode&2 > 0
				if only && first != "::" || mode >= 4 && second != "::" || !listens && first != "127.0.0.1" {
					continue
				}
				w.at(first)
				one := w.socket()
				if only {
					unix.SetsockoptInt(one.Int, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1)
				}
				if os.WriteFile(setting, []byte{'0' + byte(mode>>2)}, 0) != nil && mode >= 4 {
					continue
				}
				w.reuses = "no"
				w.call("bind", one, w.to())
				if listens {
					w.call("listen", one, event.Arg{Int: 1})
				}
				w.at(second)
				two := w.socket()
				w.call("bind", two, w.to())
				w.call("listen", two, event.Arg{Int: 1})
				for _, to := range []string{"127.0.0.1", "::1"} {
					w.at(to)
					client := w.socket()
					w.call("connect", client, w.to())
					w.call("close", client)
				}
				w.call("close", two)
				if w.call("close", one); t.Failed() {
					t.Fatalf("%s, listens %v, V6ONLY %v; then %s, bindv6only %d", first, listens, only, second, mode>>2)
				}
			}
		}
	}
}

// at gives the world another address, with the same port.
func (w *world) at(address string) {
	w.address = netip.AddrPortFrom(netip.MustParseAddr(address), w.address.Port())
}

// pair makes a connection. Its ends are the server's and the client's.
func (w *world) pair() (server, client event.Arg) {
	w.open()
	w.connect()
	fd, err := w.call("accept", event.Arg{Int: w.listener}, event.Arg{Addr: new(sys.Sockaddr)})
	if err != nil {
		w.t.Fatal(err)
	}
	unix.SetNonblock(fd, true)
	return event.Arg{Int: fd}, event.Arg{Int: w.clients[0]}
}

// TestPredictOtherEnds: a connection that ss -K ends, or whose peer does not answer any more,
// leaves other errors than a RST; what is predicted holds for them too.
func TestPredictOtherEnds(t *testing.T) {
	room := event.Arg{Data: make([]byte, 100)}
	kill := func(w *world, client event.Arg) {
		at := sockets.LocalAddress(client.Int).Port()
		command := exec.Command(tracetest.Need(t, "ss", "iproute2"), strings.Fields(fmt.Sprintf("-K sport = :%d and dport = :%d", w.address.Port(), at))...)
		if output, err := command.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", command, err, output)
		}
	}
	timeOut := func(w *world, client event.Arg) {
		ip := tracetest.Need(t, "ip", "iproute2")
		server := w.servers[0]
		unix.SetsockoptInt(server, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, 50)
		if output, err := exec.Command(ip, "link", "set", "lo", "down").CombinedOutput(); err != nil {
			tracetest.Missing(t, string(output))
		}
		defer exec.Command(ip, "link", "set", "lo", "up").Run()
		unix.Write(server, []byte("x"))
		tracetest.Await(t, "the end of patience", func() bool {
			s, err := w.watch.Between(w.address, sockets.LocalAddress(client.Int))
			return err == nil && s.State == wire.Unknown
		})
	}
	for _, c := range []struct {
		name   string
		before func(w *world, server, client event.Arg)
		end    func(w *world, client event.Arg)
		call   string
		want   string
		errno  unix.Errno
	}{
		{"killed", nil, kill, "read", "(ECONNRESET if the peer sent a RST)", unix.ECONNABORTED},
		{"killed", nil, kill, "write", "(ECONNRESET if the peer sent a RST", unix.ECONNABORTED},
		{"killed behind the peer's FIN", func(w *world, server, client event.Arg) { w.call("shutdown", client, event.Arg{Int: unix.SHUT_WR}) },
			kill, "write", "(EPIPE if the peer sent a RST)", unix.ECONNABORTED},
		{"killed behind the FIN", func(w *world, server, client event.Arg) { w.call("shutdown", server, event.Arg{Int: unix.SHUT_WR}) },
			kill, "read", "(ECONNRESET if the peer sent a RST)", unix.ECONNABORTED},
		{"timed out", nil, timeOut, "read", "(ECONNRESET if the peer sent a RST)", unix.ETIMEDOUT},
	} {
		w := newWorld(t)
		server, client := w.pair()
		w.servers = []int{server.Int}
		if c.before != nil {
			c.before(w, server, client)
		}
		w.otherEnd = true
		c.end(w, client)
		if _, err := w.call(c.call, server, room); err != c.errno || !strings.Contains(w.last, "the connection is gone: it will fail "+c.want) {
			t.Errorf("%s, %s: %v, predicted: %s", c.name, c.call, err, w.last)
		}
		for _, fd := range []int{server.Int, client.Int, w.listener} {
			unix.Close(fd)
		}
	}
}

// TestPredictInOneGo: bytes may come together with the end; a read finds them all the same.
func TestPredictInOneGo(t *testing.T) {
	w := newWorld(t)
	server, client := w.pair()
	w.ask()
	unix.Write(client.Int, make([]byte, 7))
	unix.SetsockoptLinger(client.Int, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	unix.Close(client.Int)
	for _, want := range []string{"7 bytes are still unread: it will return 7",
		"the connection is gone: it will fail (ECONNRESET if the peer sent a RST), or return 0 after a FIN"} {
		if w.call("read", server, event.Arg{Data: make([]byte, 100)}); w.last != want {
			t.Errorf("%s, want %s", w.last, want)
		}
	}
	unix.Close(server.Int)
	unix.Close(w.listener)
}

// TestPredictRST: SO_LINGER with a time of 0 and bytes that are unread send a RST behind a
// FIN, and not in its place; and one that waits for room never goes out.
func TestPredictRST(t *testing.T) {
	w := newWorld(t)
	server, client := w.pair()
	w.call("write", server, event.Arg{Data: make([]byte, 8<<20)})
	w.call("shutdown", server, event.Arg{Int: unix.SHUT_WR})
	if !strings.Contains(w.last, "the first FIN will go out behind them") {
		t.Error(w.last)
	}
	w.call("write", client, event.Arg{Data: make([]byte, 10)})
	if w.call("close", server); w.last != "10 bytes are unread: a RST will go out behind the FIN, or in its place if it has not gone out yet" {
		t.Error(w.last)
	}
	unix.Close(client.Int)
	unix.Close(w.listener)
}

// TestPredictMachine: what is asked of the machine is what the kernel does.
func TestPredictMachine(t *testing.T) {
	w := newWorld(t)
	fd := w.socket()
	w.call("bind", fd, w.to())
	w.call("listen", fd, event.Arg{Int: 1 << 20})
	w.call("listen", fd, event.Arg{Int: -1})
	var limit unix.Rlimit
	unix.Getrlimit(unix.RLIMIT_NOFILE, &limit)
	low := limit
	next, err := unix.Dup(fd.Int)
	if err != nil {
		t.Fatal(err)
	}
	unix.Close(next)
	low.Cur = uint64(next)
	w.ask()
	unix.Setrlimit(unix.RLIMIT_NOFILE, &low)
	defer unix.Setrlimit(unix.RLIMIT_NOFILE, &limit)
	accept := &event.Event{Call: event.Accept, Args: [5]event.Arg{fd, {Addr: new(sys.Sockaddr)}}}
	socket := &event.Event{Call: event.Socket, Args: [5]event.Arg{{Int: unix.AF_INET}, {Int: unix.SOCK_STREAM}}}
	const full = "no descriptor is free: it will fail with EMFILE"
	got := w.memory.Predict(accept)
	if _, err := w.kernel.Accept(fd.Int, new(sys.Sockaddr)); err != unix.EMFILE || got != full {
		t.Errorf("accept without a descriptor: %v, %s", err, got)
	}
	got = w.memory.Predict(socket)
	if _, err := w.kernel.Socket(unix.AF_INET, unix.SOCK_STREAM, 0); err != unix.EMFILE || got != full {
		t.Errorf("socket without a descriptor: %v, %s", err, got)
	}
	low.Cur++
	unix.Setrlimit(unix.RLIMIT_NOFILE, &low)
	want := fmt.Sprintf("it will return %d, the lowest descriptor that is free, and send nothing", next)
	got = w.memory.Predict(socket)
	if made, err := w.kernel.Socket(unix.AF_INET, unix.SOCK_STREAM, 0); got != want || made != next {
		t.Errorf("with one descriptor: %d, %v, %s", made, err, got)
	}
	unix.Close(next)
	unix.Close(fd.Int)
}
