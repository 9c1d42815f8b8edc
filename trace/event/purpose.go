package event

import "golang.org/x/sys/unix"

// optionSteps has what setting an option of a socket does, by its level and number.
var optionSteps = map[[2]int]string{
	{unix.SOL_SOCKET, unix.SO_REUSEADDR}:  "use the port even if old connections on it are in TIME_WAIT",
	{unix.SOL_SOCKET, unix.SO_REUSEPORT}:  "several sockets may listen on this port, if each of them sets this before bind",
	{unix.SOL_SOCKET, unix.SO_SNDBUF}:     "how large the send buffer may be, in bytes; Linux doubles the number",
	{unix.SOL_SOCKET, unix.SO_KEEPALIVE}:  "ask a silent peer, from time to time, whether it is still there",
	{unix.SOL_SOCKET, unix.SO_RCVBUF}:     "how large the receive buffer may be, in bytes; Linux doubles the number",
	{unix.IPPROTO_TCP, unix.TCP_NODELAY}:  "send small writes at once: do not hold them until what was sent is acknowledged (Nagle's algorithm)",
	{unix.IPPROTO_IPV6, unix.IPV6_V6ONLY}: "take no IPv4 clients, also if it is bound to ::",
}

// quickACK is TCP_QUICKACK, of Linux alone.
const quickACK = 12

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
	case e.Call.Does == Sets && e.Args[1].Int == unix.IPPROTO_TCP && e.Args[2].Int == quickACK && e.Args[3].Int == 0:
		return "delay ACKs, so that an answer may carry them"
	case e.Call.Does == Sets && e.Args[3].Int != 0:
		return optionSteps[[2]int{e.Args[1].Int, e.Args[2].Int}]
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
