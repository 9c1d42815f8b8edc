//go:build darwin || freebsd || netbsd || openbsd

package strace

// interfaceName is "" on this platform: the kernel cannot be asked with one
// call.
func interfaceName(int, uint32) string { return "" }
