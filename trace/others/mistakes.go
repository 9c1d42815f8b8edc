package others

import (
	"bytes"
	"slices"

	"lbaws/trace/event"
)

// This file finds the calls that fail because their descriptors lead to no socket: the commonest
// mistake of beginners.

// onSockets are the calls that are made on sockets only, and those of them that programs make to
// find out whether a descriptor leads to one.
var (
	onSockets = []string{"bind", "listen", "accept", "accept4", "connect", "shutdown", "setsockopt",
		"recv", "recvfrom", "recvmsg", "recvmmsg", "send", "sendto", "sendmsg", "sendmmsg"}
	finding = []string{"getsockname", "getpeername", "getsockopt"}
)

// MayMistake reports whether a call that fails with EBADF or ENOTSOCK may be a mistake about a
// TCP socket. had says whether its descriptor has led to one, or is the -1 of a call that has
// failed to make one.
func (c *Call) MayMistake(had bool) bool {
	return had && c.isOnOne() || slices.Contains(onSockets, c.Name) || slices.Contains(finding, c.Name)
}

// isOnOne reports whether the first argument is the one descriptor that a call is about.
func (c *Call) isOnOne() bool {
	switch c.Effect {
	case event.Makes, event.Sleeps, Forks, Execs, Replaces, ClosesSome, Polls, Adds, Epolls, Splices:
		return false
	}
	return true
}

// Mistakes reports whether a call that has failed with an error, or will, is a mistake about a TCP
// socket. args are its arguments, as far as they are known.
func (c *Call) Mistakes(errno string, had bool, args []byte) bool {
	_, family, found := bytes.Cut(args, []byte("sa_family="))
	switch {
	case !c.MayMistake(had), found && !had && !bytes.HasPrefix(family, []byte("AF_INET")):
		return false
	case errno == "ENOTSOCK":
		return slices.Contains(onSockets, c.Name) || had && slices.Contains(finding, c.Name)
	}
	return errno == "EBADF"
}
