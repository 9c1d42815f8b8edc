package patient_test

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/sys/patient"
	"lbaws/trace/tracetest"
)

// TestSilentClientAlone: with OnlyForOthers, a client whose time is up is dropped when
// the next one has come, and no sooner. The kernel is the real one; the program has
// 30 seconds for this, which are too long for a test.
func TestSilentClientAlone(t *testing.T) {
	t.Parallel()
	const limit = 100 * time.Millisecond
	p := patient.New(sys.Unix{}, limit, func(err error) { t.Error(err) })
	p.OnlyForOthers = true
	defer p.Leave()
	listening, err := p.Socket(unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_IP)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close(listening)
	var local, peer sys.Sockaddr
	if err := errors.Join(p.Bind(listening, netip.MustParseAddrPort("127.0.0.1:0")), p.Listen(listening, 128), p.Getsockname(listening, &local)); err != nil {
		t.Fatal(err)
	}
	dial := func() net.Conn {
		conn, err := net.Dial("tcp", local.AddrPort().String())
		if err != nil {
			t.Error(err)
		}
		return conn
	}
	silent := dial()
	defer silent.Close()
	fd, err := p.Accept(listening, &peer)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close(fd)
	accepted := time.Now()
	var next time.Time
	done := make(chan net.Conn, 1)
	go func() {
		tracetest.Await(t, "the silent client's time to be long over", func() bool { return time.Since(accepted) > 5*limit })
		next = time.Now()
		done <- dial()
	}()
	n, err := p.Read(fd, make([]byte, 10))
	dropped := time.Now()
	defer (<-done).Close()
	if n != -1 || err != patient.OthersWait(limit) || dropped.Before(next) {
		t.Errorf("got %d, %v, %v after the next client came", n, err, dropped.Sub(next))
	}
}

// TestTimeoutEqualsStrace: the shutdown that ends a wait is another thread's, and
// the trace shows it as strace -f does. Nothing is said of it, and the next client is
// accepted.
func TestTimeoutEqualsStrace(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	dir := t.TempDir()
	theirs, ours := filepath.Join(dir, "strace"), filepath.Join(dir, "trace")
	p := tracetest.Start(t, tracetest.Straced(t, theirs, "-f"), "-addr", "127.0.0.1:"+tracetest.FreePort(t), "-trace=strace", "-o", ours, "-timeout", "1s")
	for _, sent := range []string{"", "GET"} {
		conn := p.Dial()
		defer conn.Close()
		io.WriteString(conn, sent)
		tracetest.WaitForFile(t, ours, `(?s)SHUT_RDWR.*`+strings.Repeat(`close\(4\) .*`, 1+len(sent)/3))
	}
	text := leavesAndCompares(t, p, ours, theirs)
	if said := p.Stderr.String(); said != "" {
		t.Errorf("stderr %q", said)
	}
	if strings.Count(text, "shutdown(4, SHUT_RDWR) = 0\n") != 2 || strings.Count(text, "shutdown(4, SHUT_WR) = 0\n") != 1 {
		t.Errorf("not the shutdowns of a silent and of a slow client in\n%s", text)
	}
}
