package sockets_test

import (
	"net"
	"regexp"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"lbaws/trace/tracetest"
)

// TestOthersSockets: other programs' sockets with the server's port are not the server's:
// those of an IPv6 server beside an IPv4 one, and of a client that uses this port.
func TestOthersSockets(t *testing.T) {
	tracetest.Long(t)
	port := tracetest.FreePort(t)
	elsewhere, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer elsewhere.Close()
	address, _ := net.ResolveTCPAddr("tcp", "127.0.0.1:"+port)
	dialer := net.Dialer{LocalAddr: address, Control: func(_, _ string, c syscall.RawConn) (err error) {
		c.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1) })
		return err
	}}
	client, err := dialer.Dial("tcp", elsewhere.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	p := tracetest.Start(t, nil, "-addr", "0.0.0.0:"+port, "-sockets", "-segments")
	p.Stderr.WaitFor(t, `accept\(3, `)

	other, err := net.Listen("tcp", "[::1]:"+port)
	if err != nil {
		t.Fatal(err)
	}
	conn := tracetest.Dial(t, "[::1]:"+port)
	conn.Write([]byte("hello"))
	client.Write([]byte("hello"))
	p.Get()
	conn.Close()
	client.Close()
	other.Close()
	p.Get()
	p.Signal(syscall.SIGINT)
	p.Status()
	text := p.Stderr.String()
	for _, wrong := range []string{`::1`, `127\.0\.0\.1:` + elsewhere.Addr().String()[len("127.0.0.1:"):], `never reached accept`, `listening socket: CLOSED\n(.*\n)*.*read\(`} {
		if found := regexp.MustCompile(`(?m)^.*` + wrong + `.*$`).FindString(text); found != "" {
			t.Errorf("%q in\n%s", found, text)
		}
	}
	for _, right := range []string{`connection 1: 127\.0\.0\.1`, `connection 2: 127\.0\.0\.1`, `▪ 4: ESTABLISHED`, `▪ another process's: ESTABLISHED`} {
		if !regexp.MustCompile(right).MatchString(text) {
			t.Errorf("no %q in\n%s", right, text)
		}
	}
}

// TestWithoutProc: where /proc is not mounted, one line says that the sockets are not shown.
func TestWithoutProc(t *testing.T) {
	t.Parallel()
	const script = `mount -t tmpfs none /proc || exit 77; exec "$0" get -trace=json -sockets http://127.0.0.1:1/`
	p := tracetest.LaunchCommand(t, tracetest.Need(t, "unshare", "util-linux"), "-rm", "sh", "-c", script, tracetest.Binary(t))
	if p.Status() == 77 {
		tracetest.Missing(t, "nothing can be mounted over /proc: run the test where unshare -rm may mount")
	}
	const want = `"missing":"sockets","why":"open /proc/self/fd: ENOENT, no such file or directory: is /proc mounted\?"}`
	if said := p.Stderr.String(); len(regexp.MustCompile(want).FindAllString(said, -1)) != 1 {
		t.Errorf("it says\n%s", said)
	}
}
