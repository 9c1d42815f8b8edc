package tracer_test

import (
	"io"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"lbaws/trace/tracetest"
)

func TestMain(m *testing.M) { tracetest.Main(m) }

// TestServeShowsRealSegments: every segment of every client, the reset one and
// the silent one among them, once and in order.
func TestServeShowsRealSegments(t *testing.T) {
	t.Parallel()
	for _, addr := range []string{"127.0.0.1:", "[::1]:"} {
		port := tracetest.FreePort(t)
		w := tracetest.ListenOnWire(t, port)
		p := tracetest.Start(t, nil, "-addr", addr+port, "-segments", "-n", strconv.Itoa(len(tracetest.HostileClients)))
		for _, client := range tracetest.HostileClients {
			conn := tracetest.Dial(t, addr+port)
			client.Talk(t, conn)
			conn.Close()
		}
		p.Succeed()
		got := tracetest.Captured(t, tracetest.ReadDiagram(p.Stderr.String()))
		want := w.Labels()
		for i := range got { // the number of a connection that is not the current one, and remarks
			got[i] = regexp.MustCompile(`^([<>]) #\d+ `).ReplaceAllString(got[i], "$1 ")
			got[i], _, _ = strings.Cut(got[i], ", ignored: ") // a client's RST may cross what the server writes
			got[i] = strings.TrimSuffix(got[i], ", before accept")
			got[i] = strings.TrimSuffix(got[i], " again")
		}
		for _, label := range got {
			i := slices.Index(want, label)
			if i < 0 {
				t.Fatalf("%q is drawn and did not pass", label)
			}
			want = slices.Delete(want, i, i+1)
		}
		// The last client's last segments may come when the server has left.
		if len(want) > 3 {
			t.Errorf("not drawn: %q", want)
		}
		if resets := strings.Count(strings.Join(got, "\n"), "RST"); resets < 2 {
			t.Errorf("%d resets", resets)
		}
		for _, line := range strings.Split(p.Stderr.String(), "\n") {
			if n := len([]rune(line)); n > 100 {
				t.Errorf("a line of %d characters: %s", n, line)
			}
		}
	}
}

// TestMappedAddress: a client that comes over IPv4 to a server on [::] is one
// connection, not two; and one that uses its port again is another.
func TestMappedAddress(t *testing.T) {
	t.Parallel()
	tracetest.NeedCapture(t)
	tracetest.NeedMapped(t)
	p := tracetest.Start(t, nil, "-addr", "[::]:0", "-segments", "-n", "3")
	client, _ := strconv.Atoi(tracetest.FreePort(t))
	for range 2 {
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: client}}
		var conn net.Conn
		// Until another test's child process has its own program, it has this one's
		// sockets too.
		tracetest.Await(t, "the port to be free", func() (free bool) {
			var err error
			conn, err = dialer.Dial("tcp", "127.0.0.1:"+p.Port)
			return err == nil
		})
		io.WriteString(conn, "x\n")
		conn.(*net.TCPConn).SetLinger(0) // no TIME_WAIT: the port is free again
		conn.Close()
	}
	conn := tracetest.Dial(t, "[::1]:"+p.Port)
	io.WriteString(conn, "x\n")
	io.ReadAll(conn)
	conn.Close()
	p.Status()
	text := p.Stderr.String()
	for _, part := range []string{"connection 1: 127.0.0.1:", "connection 2: 127.0.0.1:", "connection 3: [::1]:"} {
		if !strings.Contains(text, part) { // more than once if another came between
			t.Errorf("%q is not there", part)
		}
	}
	if strings.Contains(text, "connection 4") || strings.Contains(text, "never reached") ||
		strings.Count(text, "SYN seq 0 ─") != 3 || t.Failed() {
		t.Errorf("the diagram is\n%s", text)
	}
	if !strings.HasSuffix(text, "close(3) = 0\n") && !strings.Contains(text, "TIME_WAIT") {
		t.Errorf("the end of the last connection is missing:\n%s", text)
	}
}

// TestClosingSegmentsAreAwaited: the client's FIN comes when the server has made its
// last call.
func TestClosingSegmentsAreAwaited(t *testing.T) {
	t.Parallel()
	tracetest.NeedCapture(t)
	p := tracetest.Start(t, nil, "-addr", "127.0.0.1:0", "-segments", "-n", "1")
	conn := p.Dial()
	io.WriteString(conn, "GET / HTTP/1.1\r\n\r\n")
	io.ReadAll(conn)
	p.Stderr.WaitFor(t, `close\(3\) = 0`)
	conn.Close()
	p.Status()
	if text := p.Stderr.String(); !regexp.MustCompile(`(?s)LAST_ACK [^\n]* TIME_WAIT\n.*CLOSED `).MatchString(text) {
		t.Errorf("the close is not whole:\n%s", text)
	}
}

// TestWhyThereAreNoSegments: root is named only where rights are missing.
func TestWhyThereAreNoSegments(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	for refusal, want := range map[string]string{
		"EPERM":     "EPERM, operation not permitted; run as root (sudo) to capture them\n",
		"EACCES":    "EACCES, permission denied; run as root (sudo) to capture them\n",
		"EMFILE":    "EMFILE, too many open files\n",
		"ETIMEDOUT": "ETIMEDOUT, connection timed out\n",
	} {
		wrap := tracetest.Straced(t, "/dev/null", "-f", "-e", "inject=socket:error="+refusal+":when=2")
		p := tracetest.Start(t, wrap, "-addr", "127.0.0.1:0", "-segments", "-n", "1")
		p.Get()
		if status := p.Status(); status != 0 || !strings.Contains(p.Stderr.String(), "\n# no segments: socket AF_PACKET: "+want) {
			t.Errorf("%s: status %d, %s\nwant %s", refusal, status, p.Stderr, want)
		}
	}
}
