package namespace

import (
	"encoding/binary"
	"errors"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"

	"lbaws/sys"
)

// ErrShared means that the network is not this program's own: this system does not let
// every user have one (Ubuntu since 24.04), or the container does not let root.
var ErrShared = errors.New("this program has no network namespace of its own; run it as root (sudo), in a container with --privileged")

const (
	loopback = 1  // the number of the interface in each network namespace
	header   = 14 // how many bytes a frame has before its packet

	// bucket is how many bytes pass at once: the kernel wants no less than the largest
	// packet of the loopback interface, with its header. A new bucket is full.
	bucket = 65536 + header

	// The bytes that the bucket gets in a second.
	slowest = 1
	fastest = 1 << 30
)

// SendAgainLater lets the connections that are made from now on, in this program's own
// network namespace, send again what is not acknowledged only after 15 seconds: a fifth of
// a second is soon over while segments are held. (A FIN_WAIT_2 without a descriptor lasts
// at least 3.5 times as long; a minute, otherwise.) Where the network is not the program's
// own, or the kernel is older than 6.11, it does nothing.
//
// Source: tcp_rto_min_us in Documentation/networking/ip-sysctl.rst; tcp_fin_time in Linux's
// net/tcp.h.
func SendAgainLater() error {
	if os.Getenv(namespaceVariable) == "" {
		return nil
	}
	const name, microseconds = "/proc/sys/net/ipv4/tcp_rto_min_us", "15000000"
	fd, err := unix.Open(name, unix.O_WRONLY|unix.O_CLOEXEC, 0) // package os would open more than the file
	if err == unix.ENOENT || err == unix.EROFS {
		return nil
	}
	if err == nil {
		_, err = unix.Write(fd, []byte(microseconds))
		unix.Close(fd)
	}
	return sys.Fail("open", name, err)
}

// HoldSegments holds all that is sent from now on over the loopback interface of this
// program's own network namespace, by a token bucket filter: it is on its way. On
// loopback, a segment takes no time otherwise, and two of them never cross.
//
// Source: tc-tbf(8), rtnetlink(7).
func HoldSegments() error {
	if os.Getenv(namespaceVariable) == "" {
		return ErrShared
	}
	return fillBucket(slowest, bucket)
}

// PassTwo passes two segments without data of those that are held.
func PassTwo() error {
	const ip, tcp = 40, 20 + 12 // IPv6; with IPv4, there is no room for a third one either
	const two = 2 * (header + ip + tcp)
	return fillBucket(slowest, bucket-two)
}

// PassAll passes all that is held, and holds nothing any more.
func PassAll() error { return fillBucket(fastest, header) }

// fillBucket makes a bucket in front of the interface, or fills the one that is there,
// and sends a frame of some bytes behind what is held. It is of no protocol, and nobody
// takes it; but only when something is sent does the kernel look at the bucket again.
func fillBucket(bytesPerSecond uint32, frame int) error {
	if err := setBucket(bytesPerSecond); err != nil {
		return sys.Fail("RTM_NEWQDISC", "tbf", err)
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return sys.Fail("socket", "AF_PACKET", err)
	}
	defer unix.Close(fd)
	return sys.Fail("sendto", "AF_PACKET", unix.Sendto(fd, make([]byte, frame), 0, &unix.SockaddrLinklayer{Ifindex: loopback}))
}

// bucketMessage is the message that sets a token bucket filter.
type bucketMessage struct {
	unix.NlMsghdr
	family     uint32 // struct tcmsg
	link       int32
	handle     uint32
	parent     uint32
	info       uint32
	kind       unix.NlAttr
	name       [4]byte
	options    unix.NlAttr
	parameters unix.NlAttr
	rate, peak bucketRate // struct tc_tbf_qopt
	limit      uint32
	_          [2]uint32
	burst      unix.NlAttr
	burstBytes uint32
}

// bucketRate is struct tc_ratespec.
type bucketRate struct {
	_              [2]uint32
	bytesPerSecond uint32
}

func setBucket(bytesPerSecond uint32) error {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	const root, parameters, burst = 0xffffffff, 1, 6 // TC_H_ROOT, TCA_TBF_PARMS, TCA_TBF_BURST
	m := bucketMessage{
		link: loopback, parent: root,
		kind: unix.NlAttr{Len: 8, Type: unix.TCA_KIND}, name: [4]byte{'t', 'b', 'f'},
		rate: bucketRate{bytesPerSecond: bytesPerSecond}, limit: 1 << 20,
		burst: unix.NlAttr{Len: 8, Type: burst}, burstBytes: bucket,
	}
	m.parameters = unix.NlAttr{Len: uint16(unsafe.Offsetof(m.burst) - unsafe.Offsetof(m.parameters)), Type: parameters}
	m.options = unix.NlAttr{Len: uint16(unsafe.Sizeof(m) - unsafe.Offsetof(m.options)), Type: unix.TCA_OPTIONS}
	m.NlMsghdr = unix.NlMsghdr{Len: uint32(unsafe.Sizeof(m)), Type: unix.RTM_NEWQDISC,
		Flags: unix.NLM_F_REQUEST | unix.NLM_F_ACK | unix.NLM_F_CREATE | unix.NLM_F_REPLACE}
	b := unsafe.Slice((*byte)(unsafe.Pointer(&m)), unsafe.Sizeof(m))
	if err = unix.Sendto(fd, b, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	var answer [512]byte
	if _, err := unix.Read(fd, answer[:]); err != nil {
		return err
	}
	if errno := -int32(binary.NativeEndian.Uint32(answer[unix.SizeofNlMsghdr:])); errno != 0 {
		return unix.Errno(errno)
	}
	return nil
}
