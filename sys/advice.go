package sys

import (
	"errors"

	"golang.org/x/sys/unix"
)

// Advice says in one line what the user can do about the error; "" if there is
// nothing to say.
func (e *Error) Advice() string {
	var errno unix.Errno
	errors.As(e.Err, &errno)
	if advice, ok := advices[refusal{e.Call, errno}]; ok {
		return advice
	}
	return advices[refusal{call: e.Call}]
}

// refusal is a call and the kernel's answer to it.
type refusal struct {
	call  string
	errno unix.Errno
}

// advices has what the user can do about a refusal; without an errno, about any
// other refusal of that call.
var advices = map[refusal]string{
	{"socket", unix.EMFILE}:       "allow this process more descriptors (ulimit -n)",
	{"socket", unix.EAFNOSUPPORT}: "this kernel has no IPv6: use an IPv4 address",

	{"bind", unix.EACCES}: "ports below 1024 need root or CAP_NET_BIND_SERVICE: " +
		"choose a higher one, such as -addr :8888",
	{"bind", unix.EADDRINUSE}: "another socket has this port (ss -tanp shows it): end its program, " +
		"choose another port, such as -addr :8889, or, if the socket is in TIME_WAIT, wait a minute",
	{"bind", unix.EADDRNOTAVAIL}: "no interface of this machine has that address (ip addr shows them): " +
		"-addr :8888 takes all IPv4 addresses",
	{"bind", unix.EINVAL}: "a link-local address needs its interface's number, as in [fe80::1%2]:8888 (ip link shows it)",
	{"bind", unix.ENODEV}: "no interface has that number (ip link shows them)",

	{"listen", unix.EADDRINUSE}: "another socket listens on this port (ss -tlnp shows whose): " +
		"end its program, or choose another port, such as -addr :8889",

	{"accept", unix.EMFILE}: "the server tries again until one is free; allow this process more descriptors (ulimit -n)",
	{"accept", unix.ENFILE}: "the server tries again until one is free; the whole system is out of descriptors " +
		"(sysctl fs.file-max)",
	{"accept", unix.ENOBUFS}: "the server tries again until there is memory",
	{"accept", unix.ENOMEM}:  "the server tries again until there is memory",

	{"connect", unix.ECONNREFUSED}: "nothing listens there: start the server first, with lbaws",
	{"connect", unix.ETIMEDOUT}:    "nothing answers there",
	{"connect", unix.ENETUNREACH}:  "this machine has no route to that address",
	{"connect", unix.EHOSTUNREACH}: "no host answers at that address, or no route leads to it",

	{"RTM_NEWQDISC", unix.ENOENT}: "the kernel has no token bucket filter: modprobe sch_tbf",

	{"open", unix.EMFILE}: "allow this process more descriptors (ulimit -n)",
	{"open", unix.ENOENT}: "make its folder first, or choose another file",
	{"open", 0}:           "choose another file",
}
