//go:build darwin || freebsd || netbsd || openbsd

package trace

// interfaceName is "" on this platform: the kernel cannot be asked with one
// call.
func interfaceName(int, uint32) string { return "" }
