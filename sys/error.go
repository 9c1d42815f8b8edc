package sys

import (
	"slices"

	"golang.org/x/sys/unix"
)

// Error says in one line what was being done and what the kernel answered:
//
//	bind 0.0.0.0:8888: EADDRINUSE, address already in use
type Error struct {
	Call  string     // what was being done: "bind"
	On    string     // and on what: "0.0.0.0:8888"; may be empty
	Errno unix.Errno // the kernel's answer
}

func (e *Error) Error() string {
	doing := e.Call
	if e.On != "" {
		doing += " " + e.On
	}
	if name := ErrnoName(e.Errno); name != "" {
		return doing + ": " + name + ", " + e.Errno.Error()
	}
	return doing + ": " + e.Errno.Error()
}

// Unwrap makes errors.Is(err, unix.EADDRINUSE) work.
func (e *Error) Unwrap() error { return e.Errno }

// ErrnoName is the errno's name in the headers of C, or "" if it has none. Where
// ENOTSUP and EOPNOTSUPP are the same number, it is the one that sockets use.
func ErrnoName(errno unix.Errno) string {
	if errno == unix.EOPNOTSUPP {
		return "EOPNOTSUPP"
	}
	return unix.ErrnoName(errno)
}

// Fail returns an *Error for err, or nil if err is nil. An err that is no
// unix.Errno stands for EIO: a Kernel returns no other.
func Fail(call, on string, err error) error {
	if err == nil {
		return nil
	}
	errno, ok := err.(unix.Errno)
	if !ok {
		errno = unix.EIO
	}
	return &Error{Call: call, On: on, Errno: errno}
}

// LacksRoom tells whether an error of Accept says that there is no descriptor or
// no memory for the connection. It waits in the queue: what the process or the
// system gives back makes room for it later.
//
// Source: accept(2).
func LacksRoom(err error) bool {
	errno, ok := err.(unix.Errno)
	return ok && slices.Contains([]unix.Errno{unix.EMFILE, unix.ENFILE, unix.ENOBUFS, unix.ENOMEM}, errno)
}

// ConcernsOneConnection tells whether an error of Accept says nothing of the
// listening socket, so that the next call may well succeed: a signal came, or
// an error waits on the new connection, which Linux hands over with accept.
//
// Source: accept(2), error handling; UNP section 5.11.
func ConcernsOneConnection(err error) bool {
	errno, ok := err.(unix.Errno)
	return ok && slices.Contains(passing, errno)
}
