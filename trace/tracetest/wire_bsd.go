//go:build darwin || freebsd || netbsd || openbsd

package tracetest

import "golang.org/x/sys/unix"

// Wire captures the segments of a port. This platform has no packet sockets,
// and so there is never a Wire.
type Wire struct{}

// Listen returns an error.
func Listen(uint16) (*Wire, error) { return nil, unix.EAFNOSUPPORT }

// Close does nothing.
func (*Wire) Close() {}

// Labels returns nil.
func (*Wire) Labels() []string { return nil }
