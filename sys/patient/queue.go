package patient

import "golang.org/x/sys/unix"

// connectionWaits reports whether a connection waits in the accept queue of the
// listening socket fd: then fd is readable. It does not wait itself. It is not one
// of the server's calls: it is asked before a client is dropped.
//
// Source: poll(2), accept(2); UNP section 6.3 (when is a descriptor ready).
func connectionWaits(fd int) bool {
	asked := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	_, err := unix.Poll(asked, 0)
	return err == nil && asked[0].Revents == unix.POLLIN // and no error, such as POLLNVAL: fd is closed
}
