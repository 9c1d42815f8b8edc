package event

import "golang.org/x/sys/unix"

// optionSteps has what setting an option of a socket does.
var optionSteps = map[int]string{
	unix.SO_REUSEADDR: "use the port even if old connections on it are in TIME_WAIT",
	unix.SO_REUSEPORT: "several sockets may listen on this port, if each of them sets this before bind",
	unix.SO_SNDBUF:    "how large the send buffer may be, in bytes; Linux doubles the number",
	unix.SO_RCVBUF:    "how large the receive buffer may be, in bytes; Linux doubles the number",
}

// notesAtOnce has what calls are for that do not wait.
var notesAtOnce = map[Effect]string{
	Accepts:  "take a connection from the queue; it gets a socket of its own. If there is none, fail with EAGAIN",
	Connects: "active open: send a SYN, and fail with EINPROGRESS: the answer comes later",
	Reads:    "take bytes that have come; 0 means end of file. If there are none, fail with EAGAIN",
	Writes:   "the kernel takes as many bytes as it has room for, and sends them. If there is no room, fail with EAGAIN",
}

// For says what a call is for, in a few words, whatever the socket's state is; "" is nothing that
// a learner should know.
func (e *Event) For() string {
	switch {
	case e.Call.Does == Sets && e.Args[1].Int == unix.SOL_SOCKET && e.Args[3].Int != 0:
		return optionSteps[e.Args[2].Int]
	case e.Recorded != nil && e.Recorded.AtOnce && notesAtOnce[e.Call.Does] != "":
		return notesAtOnce[e.Call.Does]
	case e.Call.Does == Reads && e.IsOthers(): // it need not be HTTP
		return e.Call.For[Server]
	case e.Call.Does != Binds || !e.Args[1].Addr.AddrPort().Addr().IsUnspecified():
		return e.Call.For[e.Side]
	case e.Args[1].Addr.Family() == unix.AF_INET:
		return "use this port on all local IPv4 addresses"
	}
	return "use this port on all local addresses: IPv4's too, unless IPV6_V6ONLY is on"
}

// WhyPause says why a server pauses when accept has failed with an error; "" if it has not.
func WhyPause(refused unix.Errno) string {
	switch refused {
	case 0:
		return ""
	case unix.EMFILE, unix.ENFILE:
		return "no descriptor is free, and nothing leaves the queue: pause, then try again"
	case unix.ENOBUFS, unix.ENOMEM:
		return "no memory is free, and nothing leaves the queue: pause, then try again"
	case unix.EAGAIN:
		return "accept does not wait on this socket: pause in its place, then try again"
	}
	return "accept has failed many times in a row: pause, then try again"
}
