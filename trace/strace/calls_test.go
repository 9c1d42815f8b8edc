package strace_test

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/sys/process"
	"lbaws/trace/output"
	"lbaws/trace/strace"
	"lbaws/trace/tracer"
	"lbaws/trace/tracetest"
)

// These tests compare the strace format with strace itself, on calls that a
// well-behaved server does not make too. The test program runs itself under
// strace; makeCalls is what it does there.

const (
	traceFileVariable = "LBAWS_TEST_TRACE_FILE" // set: make the calls, trace them to this file
	limitVariable     = "LBAWS_TEST_LIMIT"
)

func init() {
	runtime.LockOSThread() // plain strace follows the first thread alone
}

func TestMain(m *testing.M) {
	if path := os.Getenv(traceFileVariable); path != "" {
		if err := makeTracedCalls(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	tracetest.Main(m)
}

func makeTracedCalls(path string) error {
	if err := process.BlockSignals(); err != nil {
		return err
	}
	var limit int
	fmt.Sscan(os.Getenv(limitVariable), &limit)
	var failure error
	out, err := output.Create(path, func(err error) { failure = err })
	if err != nil {
		return err
	}
	tracer := tracer.New(sys.Unix{}, tracer.Sink{Format: &strace.Writer{Limit: limit}, Output: out})
	err = makeCalls(tracer)
	tracer.End()
	return errors.Join(err, failure)
}

// makeCalls makes every call of k, with success and with many errors, on IPv4
// and IPv6, and with every byte there is.
func makeCalls(k sys.Kernel) error {
	for _, loopback := range []string{"127.0.0.1:0", "[::1]:0", "[::ffff:127.0.0.1]:0"} {
		if err := converse(k, netip.MustParseAddrPort(loopback)); err != nil {
			return fmt.Errorf("%s: %w", loopback, err)
		}
	}
	// The addresses' spelling, in calls that may well fail.
	for _, addr := range []string{
		"0.0.0.0:80", "255.255.255.255:65535", "192.0.2.1:1", "[::]:0", "[2001:db8::1]:443",
		"[2001:db8:0:1:1:1:1:1]:443", "[2001:0:0:1::1]:443", "[1:0:0:2:0:0:0:3]:1", "[::1.2.3.4]:1",
		"[::ffff:1.2.3.4]:1", "[::1:0]:1", "[::ffff]:1", "[64:ff9b::1.2.3.4]:1",
		"[fe80::1%1]:1", "[fe80::1%4095]:1", "[fe80::1]:1", "[ff02::1%1]:1", "[2001:db8::1%1]:1",
	} {
		remote := netip.MustParseAddrPort(addr)
		fd, err := k.Socket(unix.AF_INET6, unix.SOCK_STREAM, unix.IPPROTO_TCP)
		if err != nil {
			return err
		}
		k.Bind(fd, remote)
		k.Close(fd)
	}
	return misuse(k)
}

// misuse makes calls that fail.
func misuse(k sys.Kernel) error {
	var addr sys.Sockaddr
	buffer := make([]byte, 1024)
	const unopened = 77
	k.Close(unopened)
	k.Listen(unopened, -1)
	k.Read(unopened, buffer)
	k.Write(unopened, []byte("never \x00sent"))
	k.Shutdown(unopened, unix.SHUT_RDWR)
	k.Accept(unopened, &addr)
	k.Getsockname(unopened, &addr)
	k.Setsockopt(unopened, unix.SOL_SOCKET, unix.SO_REUSEADDR, -1)
	datagrams, err := k.Socket(unix.AF_INET, unix.SOCK_DGRAM, unix.IPPROTO_IP)
	if err != nil {
		return err
	}
	k.Listen(datagrams, 1) // EOPNOTSUPP
	k.Close(datagrams)
	for _, d := range []time.Duration{0, 1, time.Millisecond, 1100 * time.Millisecond} {
		k.Nanosleep(d)
	}
	fd, err := k.Socket(unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_IP)
	if err != nil {
		return err
	}
	defer k.Close(fd)
	k.Accept(fd, &addr)                                       // EINVAL: not listening
	k.Shutdown(fd, unix.SHUT_WR)                              // ENOTCONN
	k.Read(fd, buffer)                                        // ENOTCONN
	k.Write(fd, []byte("x"))                                  // EPIPE
	k.Connect(fd, netip.MustParseAddrPort("127.0.0.1:1"))     // ECONNREFUSED
	k.Connect(fd, netip.MustParseAddrPort("255.255.255.1:1")) // ENETUNREACH
	return nil
}

// converse makes a listening socket and connects to it, and sends bytes both
// ways until both ends are closed.
func converse(k sys.Kernel, loopback netip.AddrPort) error {
	family := unix.AF_INET6
	if loopback.Addr().Is4() {
		family = unix.AF_INET
	}
	listening, err := k.Socket(family, unix.SOCK_STREAM, unix.IPPROTO_IP)
	if err != nil {
		return err
	}
	defer k.Close(listening)
	var local, peer sys.Sockaddr
	err = errors.Join(
		k.Setsockopt(listening, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1),
		k.Bind(listening, loopback),
		k.Listen(listening, 5),
		k.Getsockname(listening, &local))
	if err != nil {
		return err
	}
	client, err := k.Socket(family, unix.SOCK_STREAM, unix.IPPROTO_IP)
	if err != nil {
		return err
	}
	if err := k.Connect(client, local.AddrPort()); err != nil {
		return err
	}
	server, err := k.Accept(listening, &peer)
	if err != nil {
		return err
	}
	if got := peer.AddrPort().Addr(); got != loopback.Addr() {
		return fmt.Errorf("the peer is %v", got)
	}
	buffer := make([]byte, 1024)
	for _, message := range tracetest.Messages() {
		if _, err := k.Write(client, message); err != nil {
			return err
		}
		for got := 0; got < len(message); {
			n, err := k.Read(server, buffer)
			if err != nil {
				return err
			}
			got += n
		}
	}
	// The half-close and the end of file, then a reset.
	k.Shutdown(client, unix.SHUT_WR)
	k.Read(server, buffer)
	k.Write(server, []byte("unread"))
	k.Close(client) // sends a RST: bytes are unread
	k.Read(server, buffer)
	k.Write(server, buffer[:10])
	k.Shutdown(server, unix.SHUT_RD)
	return k.Close(server)
}

// TestEveryCallEqualsStrace runs makeCalls under strace and compares all lines.
// Left out are the lines before the first socket (the start of the program),
// the tracer's own writes, and its question for an interface's name.
func TestEveryCallEqualsStrace(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	tracetest.NeedMapped(t)
	strace := tracetest.Need(t, "strace", "strace")
	for _, limit := range []string{"0", "1", "32", "2000"} {
		t.Run("s="+limit, func(t *testing.T) {
			dir := t.TempDir()
			theirs, ours := filepath.Join(dir, "strace"), filepath.Join(dir, "trace")
			cmd := exec.Command(strace, "-o", theirs, "-s", limit, "-e", "signal=none",
				"-e", "trace=%network,read,write,close,nanosleep", os.Args[0])
			cmd.Env = append(os.Environ(), traceFileVariable+"="+ours, limitVariable+"="+limit)
			if output, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, output)
			}
			got := tracetest.ReadLines(t, ours)
			want := dropOwn(tracetest.ReadLines(t, theirs))
			tracetest.Compare(t, got, want)
			if len(got) < 1000 {
				t.Errorf("only %d lines were compared", len(got))
			}
		})
	}
}

// ownWrite is a line of the tracer's or of the runtime's.
var ownWrite = regexp.MustCompile(`^write\((1\d|2),|^\+\+\+ exited|` +
	`^nanosleep\(\{tv_sec=0, tv_nsec=\d0?000\}|^nanosleep\(.*, 0x`)

func dropOwn(lines []string) []string {
	var kept []string
	started := false
	for _, line := range lines {
		started = started || strings.HasPrefix(line, "socket(")
		if started && !ownWrite.MatchString(line) {
			kept = append(kept, line)
		}
	}
	return kept
}
