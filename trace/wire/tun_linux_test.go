package wire_test

import (
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lbaws/sys/namespace"
	"lbaws/trace/tracetest"
	"lbaws/trace/wire"
)

// device is a network interface whose other end is in the test's hands: what it
// writes, arrives.
type device struct{ fd int }

// newDevice makes a TUN device, or a TAP one, with an address in a network of 256
// addresses, if one is given.
//
// Source: netdevice(7).
func newDevice(t *testing.T, kind uint16, name, address string) *device {
	t.Helper()
	fd := tracetest.NewDevice(t, kind, name)
	if address != "" {
		control(t, unix.SIOCSIFADDR, name, func(r *unix.Ifreq) error { return r.SetInet4Addr(netip.MustParseAddr(address).AsSlice()) })
		control(t, unix.SIOCSIFNETMASK, name, func(r *unix.Ifreq) error { return r.SetInet4Addr([]byte{255, 255, 255, 0}) })
	}
	if err := namespace.BringUp(name); err != nil {
		t.Fatal(err)
	}
	return &device{fd}
}

// control makes an ioctl about an interface.
func control(t *testing.T, code uint, name string, set func(*unix.Ifreq) error) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	request, err := unix.NewIfreq(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := set(request); err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlIfreq(fd, code, request); err != nil {
		t.Fatal(err)
	}
}

// arrive lets packets arrive.
func (d *device) arrive(t *testing.T, packets ...[]byte) {
	t.Helper()
	for _, packet := range packets {
		if _, err := unix.Write(d.fd, packet); err != nil {
			t.Fatal(err)
		}
	}
}

// packet is an IP packet with a TCP segment of n bytes, whose checksums are right.
func packet(from, to string, flags wire.Flags, n int) []byte {
	return tracetest.Packet(netip.MustParseAddrPort(from), netip.MustParseAddrPort(to), flags, 1000, 2000, n)
}

// spoilt is a packet with a bit of its last byte changed.
func spoilt(p []byte) []byte {
	p[len(p)-1] ^= 1
	return p
}

// startCapture captures the segments of a server, or skips the test.
func startCapture(t *testing.T, server string, remote bool) *wire.Capture {
	t.Helper()
	tracetest.NeedCapture(t)
	capture, err := wire.OpenCapture(netip.MustParseAddrPort(server), remote, false)
	if err != nil {
		t.Fatal(err)
	}
	return capture
}

// taken takes the segments up to now.
func taken(c *wire.Capture) []wire.Segment {
	var segments []wire.Segment
	now := time.Now()
	for s := c.Next(now); s != nil; s = c.Next(now) {
		segments = append(segments, *s)
	}
	return segments
}

// checkTaken checks which segments there are up to now: "10.9.0.2:4000 SYN" is
// who has sent one, and its flags.
func checkTaken(t *testing.T, c *wire.Capture, want ...string) {
	t.Helper()
	tracetest.Compare(t, senders(taken(c)), want)
}

// senders says who has sent each segment, its flags, and whether it is damaged.
func senders(segments []wire.Segment) []string {
	var senders []string
	for _, s := range segments {
		sender := s.From.String() + " " + s.Flags.String()
		if s.Damaged {
			sender += ", damaged"
		}
		senders = append(senders, sender)
	}
	return senders
}
