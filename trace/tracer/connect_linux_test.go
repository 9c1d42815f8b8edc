package tracer_test

import (
	"net"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"lbaws/trace/tracetest"
)

// TestConnectThatFails: its segments are shown, though the socket has lost its
// address by the time that connect returns.
func TestConnectThatFails(t *testing.T) {
	tracetest.Long(t)
	tracetest.NeedCapture(t)
	tracetest.NewTunnel(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := listener.Addr().String()
	listener.Close()
	for _, c := range []struct{ url, want string }{
		{"http://" + closed + "/", `(?s)connect\(3, .*── SYN seq 0 ─.*◀─ RST\+ACK seq 0 ack 1 ─.*connect = -1 ECONNREFUSED`},
		{"http://" + tracetest.ThereIPv4.String() + ":8888/", `(?s)connect\(3, .*SYN_SENT +── SYN seq 0 ─.*connect = -1 `},
		{"http://[" + tracetest.ThereIPv6.String() + "]:8888/", `(?s)connect\(3, .*SYN_SENT +── SYN seq 0 ─.*connect = -1 `},
	} {
		p := tracetest.Launch(t, nil, "get", "-segments", "-timeout", "500ms", c.url)
		if status := p.Status(); status != 1 {
			t.Errorf("status %d", status)
		}
		if !regexp.MustCompile(c.want).MatchString(p.Stderr.String()) {
			t.Errorf("%s\n%s\nwant %s", c.url, p.Stderr, c.want)
		}
	}
}

// TestConnectThatWaits: its SYN is shown while it waits, with the state that the kernel has
// the socket in.
func TestConnectThatWaits(t *testing.T) {
	tracetest.Long(t)
	tracetest.NeedCapture(t)
	tracetest.NewTunnel(t)
	p := tracetest.Launch(t, nil, "get", "-segments", "-sockets", "-timeout", "1h", "http://"+tracetest.ThereIPv4.String()+":8888/")
	p.Stderr.WaitFor(t, `connect\(3, .*…\n(.*\n)*▪?SYN_SENT +── SYN seq 0 ─`)
	p.Stderr.WaitFor(t, `▪ 3: SYN_SENT, the SYN not acknowledged`)
	p.Signal(syscall.SIGINT)
	p.Status()
	p.Stderr.WaitFor(t, `# there is no connection yet: Linux gives up the handshake(.*\n)*shutdown\(3, SHUT_RD\)(.*\n)*… connect = -1 `)
	if text := p.Stderr.String(); strings.Contains(text, "▪CLOSED") {
		t.Errorf("the kernel held the socket in SYN_SENT when the SYN had gone out:\n%s", text)
	}
}
