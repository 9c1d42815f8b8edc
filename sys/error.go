package sys

import (
	"errors"

	"golang.org/x/sys/unix"
)

// Error says in one line what was being done and what the kernel answered:
//
//	bind 0.0.0.0:8888: EADDRINUSE, address already in use
type Error struct {
	Call string // what was being done: "bind"
	On   string // and on what: "0.0.0.0:8888"; may be empty
	Err  error  // the answer: the kernel's, a unix.Errno, or that of a Kernel in front of it
}

func (e *Error) Error() string {
	doing := e.Call
	if e.On != "" {
		doing += " " + e.On
	}
	var errno unix.Errno
	if errors.As(e.Err, &errno) && ErrnoName(errno) != "" {
		return doing + ": " + ErrnoName(errno) + ", " + errno.Error()
	}
	return doing + ": " + e.Err.Error()
}

// Unwrap makes errors.Is(err, unix.EADDRINUSE) work.
func (e *Error) Unwrap() error { return e.Err }

// Fail returns an *Error for err, or nil if err is nil.
func Fail(call, on string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Call: call, On: on, Err: err}
}

// ErrnoName returns the errno's name in the headers of C, or "" if it has none.
// Where ENOTSUP and EOPNOTSUPP are the same number, it is the one that sockets
// use; and EUCLEAN has another name only inside Linux.
func ErrnoName(errno unix.Errno) string {
	if errno == unix.EOPNOTSUPP {
		return "EOPNOTSUPP"
	}
	name := unix.ErrnoName(errno)
	if name == "EFSCORRUPTED" {
		return "EUCLEAN"
	}
	return name
}
