package namespace

import (
	"errors"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"lbaws/sys"
)

// timers are those by which the kernel gives a connection up, or sends again what is not
// acknowledged, while a person thinks; and what makes them as long as it can. A FIN_WAIT_2
// that no descriptor leads to lasts a minute or, if tcp_fin_timeout is longer, twice what
// that is longer by. Data and FINs are sent again after two minutes, the most that the kernel
// allows; less is soon over while segments are held. (A SYN is sent again after a second, and
// TIME_WAIT lasts a minute, whatever is set.)
//
// Source: Documentation/networking/ip-sysctl.rst; tcp_keepalive_timer in Linux's net/ipv4.
var timers = map[string]string{"tcp_fin_timeout": "86400", "tcp_orphan_retries": "255", "tcp_retries2": "255",
	"tcp_rto_min_us": "120000000", "tcp_syn_retries": "127", "tcp_synack_retries": "255"}

// outlast sets the timers in this program's own network namespace, as sysctl would. Those
// that cannot be set, in a container or in an older kernel, are as they were.
func outlast() {
	for name, value := range timers {
		set(name, value)
	}
}

// Set sets a sysctl of IPv4 in this program's own network namespace.
func Set(name, value string) error {
	if os.Getenv(namespaceVariable) == "" {
		return ErrShared
	}
	return sys.Fail("write", "/proc/sys/net/ipv4/"+name, set(name, value))
}

func set(name, value string) error {
	fd, err := unix.Open("/proc/sys/net/ipv4/"+name, unix.O_WRONLY|unix.O_CLOEXEC, 0) // package os would open more
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	_, err = unix.Write(fd, []byte(value))
	return err
}

// Probes returns how many keep-alive probes were sent in this program's own network namespace.
//
// Source: TCPKeepAlive in Documentation/networking/snmp_counter.rst.
func Probes() (int, error) { return counter("netstat", "TCPKeepAlive") }

// SentAgain returns how many segments were sent again there.
//
// Source: tcpRetransSegs in RFC 4022.
func SentAgain() (int, error) { return counter("snmp", "RetransSegs") }

// DelayedACKs returns how many ACKs were sent by the timer that delays them.
//
// Source: TcpExtDelayedACKs in Documentation/networking/snmp_counter.rst.
func DelayedACKs() (int, error) { return counter("netstat", "DelayedACKs") }

// counter returns a counter of the namespace's.
//
// Source: proc_pid_net(5).
func counter(file, name string) (int, error) {
	if os.Getenv(namespaceVariable) == "" {
		return 0, ErrShared
	}
	file = "/proc/self/net/" + file
	fd, err := unix.Open(file, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, sys.Fail("open", file, err)
	}
	defer unix.Close(fd)
	var text [16 << 10]byte
	n, err := unix.Read(fd, text[:])
	if err != nil {
		return 0, sys.Fail("read", file, err)
	}
	lines := strings.Split(string(text[:n]), "\n")
	for ; len(lines) >= 2; lines = lines[2:] { // the names, and below them the numbers
		names, numbers := strings.Fields(lines[0]), strings.Fields(lines[1])
		if i := slices.Index(names, name); i >= 0 && i < len(numbers) {
			return strconv.Atoi(numbers[i])
		}
	}
	return 0, errors.ErrUnsupported
}

// Unplug makes the machine of a socket lose what it is sent: a filter takes nothing of it. The
// socket's own segments still go out, and the capture sees all. A connection that a listening
// socket gets later loses it too.
//
// Source: socket(7), SO_ATTACH_FILTER; tcp_filter in Linux's net/ipv4.
func Unplug(fd int) error {
	nothing := []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: 0}}
	err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: 1, Filter: &nothing[0]})
	return sys.Fail("setsockopt", "SO_ATTACH_FILTER", err)
}

// Plug makes the machine get again what it is sent.
func Plug(fd int) error {
	return sys.Fail("setsockopt", "SO_DETACH_FILTER", unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DETACH_FILTER, 0))
}
