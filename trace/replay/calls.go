package replay

import (
	"bytes"
	"strings"
	"sync"

	"lbaws/trace/event"
	"lbaws/trace/strace"
)

// call is a system call that real programs make on sockets.
type call struct {
	name   string
	does   *event.Call  // what it does, as the server's and the client's calls do it; or itself
	effect event.Effect // that of does, or one of those below
	waits  bool         // whether it may wait, if the server and the client do not make it
	entry  int          // how many arguments strace writes when it begins; 0 is all
	note   string       // what it does, if the server and the client do not make it
}

// The effects that only other programs' calls have.
const (
	forks      event.Effect = -1 - iota // a child, which has the same descriptors
	execs                               // another program, which does not have those that are to be closed
	duplicates                          // a descriptor
	replaces                            // one by another's duplicate
	controls                            // a descriptor, and may duplicate it
	closesSome                          // a range of descriptors
	polls                               // a list of descriptors
	adds                                // a socket to those that an epoll descriptor waits for
	epolls                              // waits for those
	splices                             // bytes from one descriptor to another
)

// calls returns those that are drawn, if they are about a TCP socket, by their names.
var calls = sync.OnceValue(func() map[string]*call {
	const (
		wait      = "wait until one of these descriptors is ready, or the time is up: a call on a ready one does not wait"
		inherit   = "a child, which has the same descriptors: each of them leads to the same socket"
		duplicate = "one more descriptor for the same socket"
	)
	calls := make(map[string]*call)
	for _, c := range event.Calls {
		calls[c.Name] = &call{name: c.Name, does: c}
	}
	for _, c := range []call{
		{name: "accept4", does: event.Accept},
		{name: "readv recv recvfrom recvmsg", does: event.Read},
		{name: "writev send sendto sendmsg sendfile sendfile64", does: event.Write},
		{name: "getpeername", entry: 1},
		{name: "getsockopt", entry: 3, note: "ask the kernel about the socket"},
		{name: "dup", effect: duplicates, note: duplicate},
		{name: "dup2 dup3", effect: replaces, note: duplicate},
		{name: "fcntl fcntl64 ioctl", effect: controls},
		{name: "close_range", effect: closesSome},
		{name: "execve execveat", effect: execs},
		{name: "fork vfork clone clone3", effect: forks, note: inherit},
		{name: "poll ppoll select _newselect pselect6", effect: polls, waits: true, note: wait},
		{name: "epoll_ctl", effect: adds},
		{name: "epoll_wait epoll_pwait epoll_pwait2", effect: epolls, waits: true, entry: 1, note: wait},
		{name: "splice", effect: splices, waits: true},
		{name: "sendmmsg", waits: true},
		{name: "recvmmsg", waits: true, entry: 1},
	} {
		for name := range strings.FieldsSeq(c.name) {
			each := c
			if each.name = name; c.does == nil {
				each.does = &event.Call{Name: name, Waits: c.waits}
			}
			calls[name] = &each
		}
	}
	for _, c := range calls {
		if n := c.does.AtEntry(); n < len(c.does.Params) {
			c.entry = n
		}
		if c.does.Does != event.Else {
			c.effect = c.does.Does
		}
	}
	return calls
})

// noteOn is what a call does that the server and the client do not make.
func (c *call) noteOn(s *step, rest *strace.Rest) string {
	has := func(part string) bool { return bytes.Contains(rest.Args, []byte(part)) }
	switch c.effect {
	case controls:
		if on, off := setsNonBlocking(rest); on {
			return "reading, writing and accept do not wait on this socket any more, but fail with EAGAIN; connect fails with EINPROGRESS"
		} else if off {
			return "calls on this socket wait"
		}
	case replaces:
		if s.socket == nil {
			return "this descriptor leads to something else now, which is no TCP socket"
		}
	case adds:
		switch {
		case has("EPOLL_CTL_ADD"):
			return "let epoll_wait wait for this descriptor too"
		case has("EPOLL_CTL_MOD"):
			return "change what epoll_wait waits for on this descriptor"
		}
		return "let epoll_wait wait for this descriptor no more"
	}
	return c.note
}

// setsNonBlocking reports whether fcntl or ioctl makes a socket non-blocking, or blocking.
func setsNonBlocking(rest *strace.Rest) (on, off bool) {
	has := func(part string) bool { return bytes.Contains(rest.Args, []byte(part)) }
	switch {
	case has("F_SETFL"):
		return has("O_NONBLOCK"), !has("O_NONBLOCK")
	case has("FIONBIO"):
		return has("[1]"), has("[0]")
	}
	return false, false
}
