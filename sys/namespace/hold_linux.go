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
	// packet of the loopback interface, with its header.
	bucket = 65536 + header

	// While segments are held, each costs so many bytes more. A new bucket is full, and has
	// enough for three segments without data; at a byte a second, the fourth one would
	// pass after more than eight hours.
	surcharge = 32000
	three     = 3

	unlimited = 1 << 20 // bytes that may be on their way
)

// HoldSegments holds all that is sent from now on over the loopback interface of this
// program's own network namespace, by a token bucket filter: it is on its way. On
// loopback, a segment takes no time otherwise, and two of them never cross. What the kernel
// holds so it does not send again.
//
// Source: tc-tbf(8), rtnetlink(7); skb_still_in_host_queue in Linux's net/ipv4.
func HoldSegments() error {
	if os.Getenv(namespaceVariable) == "" {
		return ErrShared
	}
	return fillBucket(unlimited, surcharge, three)
}

// PassTwo passes two segments without data of those that are held, and holds two that
// follow from them; it loses others, such as a FIN that is sent again.
func PassTwo() error {
	const ip, tcp = 40, 20 + 12 // with IPv4, there is no room for a third one either
	err := fillBucket(header+2*(header+ip+tcp), surcharge, three-2)
	if errors.Is(err, unix.ENOBUFS) {
		return errors.New("more than two segments are held: only all of them can pass")
	}
	return err
}

// PassAll passes all that is held, and holds nothing any more.
func PassAll() error { return fillBucket(unlimited, 0, 1) }

// LoseAll throws away all that is held, and holds nothing any more.
func LoseAll() error {
	return sys.Fail("RTM_DELQDISC", "tbf", setBucket(unix.RTM_DELQDISC, unlimited, 0))
}

// fillBucket makes a bucket in front of the interface, in which so many bytes may wait, or
// fills the one that is there, and sends some frames behind what is held. They are of no
// protocol, and nobody takes them; but only when something is sent does the kernel look at
// the bucket again.
func fillBucket(limit uint32, surcharge uint16, frames int) error {
	if err := setBucket(unix.RTM_NEWQDISC, limit, surcharge); err != nil {
		return sys.Fail("RTM_NEWQDISC", "tbf", err)
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return sys.Fail("socket", "AF_PACKET", err)
	}
	defer unix.Close(fd)
	for range frames {
		err = unix.Sendto(fd, make([]byte, header), 0, &unix.SockaddrLinklayer{Ifindex: loopback})
		if err != nil {
			break
		}
	}
	return sys.Fail("sendto", "AF_PACKET", err)
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
	_              uint16
	surcharge      uint16 // for each packet
	_              uint32
	bytesPerSecond uint32
}

// setBucket makes or changes the bucket, or takes it away. One with a surcharge gets a
// byte a second.
func setBucket(what uint16, limit uint32, surcharge uint16) error {
	bytesPerSecond := uint32(1)
	if surcharge == 0 {
		bytesPerSecond = 1 << 30
	}
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	const root, parameters, burst = 0xffffffff, 1, 6 // TC_H_ROOT, TCA_TBF_PARMS, TCA_TBF_BURST
	m := bucketMessage{
		link: loopback, parent: root,
		kind: unix.NlAttr{Len: 8, Type: unix.TCA_KIND}, name: [4]byte{'t', 'b', 'f'},
		rate: bucketRate{surcharge: surcharge, bytesPerSecond: bytesPerSecond}, limit: limit,
		burst: unix.NlAttr{Len: 8, Type: burst}, burstBytes: bucket,
	}
	m.parameters = unix.NlAttr{Len: uint16(unsafe.Offsetof(m.burst) - unsafe.Offsetof(m.parameters)), Type: parameters}
	m.options = unix.NlAttr{Len: uint16(unsafe.Sizeof(m) - unsafe.Offsetof(m.options)), Type: unix.TCA_OPTIONS}
	m.NlMsghdr = unix.NlMsghdr{Len: uint32(unsafe.Sizeof(m)), Type: what,
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
