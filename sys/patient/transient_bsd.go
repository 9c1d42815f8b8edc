//go:build darwin || freebsd || netbsd || openbsd

package patient

import "golang.org/x/sys/unix"

// transient are the errors of accept that concern one connection.
var transient = []unix.Errno{
	unix.EINTR, unix.ECONNABORTED, unix.EPROTO, unix.ENOPROTOOPT, unix.EOPNOTSUPP,
	unix.ENETDOWN, unix.ENETUNREACH, unix.EHOSTDOWN, unix.EHOSTUNREACH,
}
