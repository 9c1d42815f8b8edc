//go:build darwin || freebsd || netbsd || openbsd

package wire

import (
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"lbaws/sys"
)

// Capture sees the TCP segments of some servers. This platform has no packet
// sockets, and so there is never a Capture.
type Capture struct{}

// OpenCapture returns an error.
func OpenCapture(netip.AddrPort, bool, bool) (*Capture, error) {
	return nil, sys.Fail("socket", "AF_PACKET", unix.EAFNOSUPPORT)
}

// Add returns an error.
func (*Capture) Add(netip.AddrPort) error { return sys.Fail("socket", "AF_PACKET", unix.EAFNOSUPPORT) }

// Next returns nil.
func (*Capture) Next(time.Time) *Segment { return nil }

// Wait waits for ever.
func (*Capture) Wait(time.Duration) { select {} }

// Only does nothing.
func (*Capture) Only(netip.AddrPort, time.Time) {}

// Lost returns 0.
func (*Capture) Lost() int { return 0 }
