package patient

import "golang.org/x/sys/unix"

// transient are the errors of accept that concern one connection and not the listening
// socket, so that the next call may well succeed: a signal came, or an error was pending
// on the new connection, which Linux returns from accept.
//
// Source: accept(2), error handling; UNP section 5.11.
var transient = []unix.Errno{
	unix.EINTR, unix.ECONNABORTED, unix.EPROTO, unix.ENOPROTOOPT, unix.EOPNOTSUPP, unix.ENONET,
	unix.ENETDOWN, unix.ENETUNREACH, unix.EHOSTDOWN, unix.EHOSTUNREACH, unix.ETIMEDOUT,
	unix.EPERM, // a firewall forbids it
}
