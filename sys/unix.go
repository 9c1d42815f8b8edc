package sys

import "golang.org/x/sys/unix"

// Unix is the running machine's kernel. Its zero value is ready for use, by
// any number of threads.
//
// On Linux each method makes exactly one kernel call, the one it is named
// after. Elsewhere bind, connect, accept and getsockname go through package
// unix, which may add a close when the kernel hands back an address that is no
// IP address.
type Unix struct{}

var _ Kernel = Unix{}

// Socket is socket(2).
func (Unix) Socket(domain, typ, protocol int) (int, error) { return unix.Socket(domain, typ, protocol) }

// Setsockopt is setsockopt(2) with an option that is an int.
func (Unix) Setsockopt(fd, level, option, value int) error {
	return unix.SetsockoptInt(fd, level, option, value)
}

// Listen is listen(2).
func (Unix) Listen(fd, backlog int) error { return unix.Listen(fd, backlog) }

// Read is read(2).
func (Unix) Read(fd int, p []byte) (int, error) { return unix.Read(fd, p) }

// Write is write(2).
func (Unix) Write(fd int, p []byte) (int, error) { return unix.Write(fd, p) }

// Shutdown is shutdown(2).
func (Unix) Shutdown(fd, how int) error { return unix.Shutdown(fd, how) }

// Close is close(2).
func (Unix) Close(fd int) error { return unix.Close(fd) }
