package sockets_test

import (
	"net/netip"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/trace/sockets"
	"lbaws/trace/tracetest"
	"lbaws/trace/wire"
)

// TestSynQueue: the handshakes of a listening socket are those that ss shows in SYN-RECV. The
// backlog bounds them; and then, as System says of the kernel, a SYN gets a cookie, or nothing.
func TestSynQueue(t *testing.T) {
	ss := tracetest.Need(t, "ss", "iproute2")
	setSysctl(t, "net/ipv4/tcp_max_syn_backlog", "64")
	bounds := map[string]string{
		"1": ": when it is full, a SYN is answered with a SYN cookie, and nothing is kept (tcp_syncookies is 1)",
		"0": ", and three quarters of tcp_max_syn_backlog, which is 64: when it is full, a SYN is dropped (tcp_syncookies is 0)",
	}
	for cookies, isAnswered := range map[string]bool{"1": true, "0": false} {
		t.Run("tcp_syncookies "+cookies, func(t *testing.T) {
			setSysctl(t, "net/ipv4/tcp_syncookies", cookies)
			tunnel := tracetest.NewTunnel(t)
			k := sys.Unix{}
			fd, err := k.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer k.Close(fd)
			const backlog = 2
			if err = k.Bind(fd, netip.AddrPortFrom(tracetest.HereIPv4, 0)); err == nil {
				err = k.Listen(fd, backlog)
			}
			if err != nil {
				t.Fatal(err)
			}
			server := sockets.LocalAddress(fd)
			w, err := sockets.Open()
			if err != nil {
				t.Fatal(err)
			}
			w.Follow(server.Port())
			var listens sockets.Change
			look := func() {
				t.Helper()
				changes, err := w.All()
				if err != nil {
					t.Fatal(err)
				}
				for _, c := range changes {
					if c.State == wire.Listen {
						listens = c
					}
				}
				text, err := exec.Command(ss, "-Htn", "state", "syn-recv", "src", server.String()).Output()
				if n := strings.Count(string(text), "\n"); err != nil || n != listens.Handshakes {
					t.Fatalf("%d handshakes, and ss says %v\n%s", listens.Handshakes, err, text)
				}
			}
			look()
			if text := listens.QueuesText(); text != "accept queue 0 of 2" {
				t.Errorf("%q", text)
			}
			var peers []*tracetest.Peer
			for i := range backlog + 2 {
				p := tunnel.NewPeer(uint16(2000+i), server)
				p.Send(wire.SYN, 0, 0, 0)
				peers = append(peers, p)
				look()
			}
			if n := listens.Handshakes; n != backlog && n != backlog+1 { // the latter since Linux 6.14
				t.Errorf("%d handshakes, where the backlog is %d", n, backlog)
			}
			if text := listens.QueuesText(); !strings.HasPrefix(text, "accept queue 0 of 2, SYN queue ") {
				t.Errorf("%q", text)
			}
			if text := listens.BoundText(); !strings.HasSuffix(text, "let one more in)"+bounds[cookies]) {
				t.Errorf("%q", text)
			}
			if tunnel.Receive(); peers[backlog+1].Answered() != isAnswered {
				t.Errorf("the SYN that found the queue full is answered: %v", !isAnswered)
			}
			before := listens.Handshakes
			peers[0].Send(wire.RST, 0, 0, 0)
			if look(); listens.Handshakes != before-1 {
				t.Errorf("%d handshakes behind a RST, and %d before", listens.Handshakes, before)
			}
			peers[1].Send(wire.ACK, 0, 0, 0)
			if look(); listens.Handshakes != before-2 || listens.Receive != 1 {
				t.Errorf("behind an ACK: %s", listens.QueuesText())
			}
		})
	}
}
