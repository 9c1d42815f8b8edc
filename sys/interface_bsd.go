//go:build darwin || freebsd || netbsd || openbsd

package sys

// InterfaceName is "" on this platform: the kernel cannot be asked with one
// call.
func InterfaceName(int, uint32) string { return "" }
