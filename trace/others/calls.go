// Package others knows the calls of other programs than this one: what each does to
// descriptors and connections, and which event is made of strace's text of it. A recording's
// calls and those of a program that runs are the same here.
package others

import (
	"bytes"
	"iter"
	"strings"
	"sync"

	"lbaws/trace/event"
	"lbaws/trace/strace"
)

// Call is a system call that real programs make on sockets.
type Call struct {
	Name   string
	Does   *event.Call  // what it does, as the server's and the client's calls do it; or itself
	Effect event.Effect // that of Does, or one of those below
	waits  bool         // whether it may wait, if the server and the client do not make it
	entry  int          // how many arguments strace writes when it begins; 0 is all
	note   string       // what it does, if the server and the client do not make it
}

// Named returns the call with a name; nil if it is none that is drawn.
func Named(name string) *Call { return calls()[name] }

// The effects that only other programs' calls have.
const (
	Forks      event.Effect = -1 - iota // a child, which has the same descriptors
	Execs                               // another program, which does not have those that are to be closed
	Duplicates                          // a descriptor
	Replaces                            // one by another's duplicate
	Controls                            // a descriptor, and may duplicate it
	ClosesSome                          // a range of descriptors
	Polls                               // a list of descriptors
	Adds                                // a socket to those that an epoll descriptor waits for
	Epolls                              // waits for those
	Splices                             // bytes from one descriptor to another
)

// calls returns those that are drawn, if they are about a TCP socket, by their names.
var calls = sync.OnceValue(func() map[string]*Call {
	const (
		wait      = "wait until one of these descriptors is ready, or the time is up: a call on a ready one does not wait"
		inherit   = "a child, which has the same descriptors: each of them leads to the same socket"
		duplicate = "one more descriptor for the same socket"
	)
	calls := make(map[string]*Call)
	for _, c := range event.Calls {
		calls[c.Name] = &Call{Name: c.Name, Does: c}
	}
	for _, c := range []Call{
		{Name: "accept4", Does: event.Accept},
		{Name: "readv recv recvfrom recvmsg recvmmsg", Does: event.Read},
		{Name: "writev send sendto sendmsg sendmmsg sendfile sendfile64", Does: event.Write},
		{Name: "getpeername", entry: 1},
		{Name: "getsockopt", entry: 3, note: "ask the kernel about the socket: after a connect, whether that has succeeded"},
		{Name: "dup", Effect: Duplicates, note: duplicate},
		{Name: "dup2 dup3", Effect: Replaces, note: duplicate},
		{Name: "fcntl fcntl64 ioctl", Effect: Controls},
		{Name: "close_range", Effect: ClosesSome},
		{Name: "execve execveat", Effect: Execs},
		{Name: "fork vfork clone clone3", Effect: Forks, note: inherit},
		{Name: "poll ppoll select _newselect pselect6", Effect: Polls, waits: true, note: wait},
		{Name: "epoll_ctl", Effect: Adds},
		{Name: "epoll_wait epoll_pwait epoll_pwait2", Effect: Epolls, waits: true, entry: 1, note: wait},
		{Name: "splice", Effect: Splices, waits: true},
	} {
		for name := range strings.FieldsSeq(c.Name) {
			each := c
			if each.Name = name; c.Does == nil {
				each.Does = &event.Call{Name: name, Waits: c.waits}
			}
			calls[name] = &each
		}
	}
	for _, c := range calls {
		if n := c.Does.AtEntry(); n < len(c.Does.Params) {
			c.entry = n
		}
		if c.Does.Does != event.Else {
			c.Effect = c.Does.Does
		}
	}
	return calls
})

// noteOn is what a call does that the server and the client do not make.
func (c *Call) noteOn(about About, rest *strace.Rest) string {
	has := func(part string) bool { return bytes.Contains(rest.Args, []byte(part)) }
	switch c.Effect {
	case Controls:
		if on, off := SetsNonBlocking(rest); on {
			return "reading, writing and accept do not wait on this socket any more, but fail with EAGAIN; connect fails with EINPROGRESS"
		} else if off {
			return "calls on this socket wait"
		}
	case Replaces:
		if about.Socket == 0 {
			return "this descriptor leads to something else now, which is no TCP socket"
		}
	case Adds:
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

// SetsNonBlocking reports whether fcntl or ioctl makes a socket non-blocking, or blocking.
func SetsNonBlocking(rest *strace.Rest) (on, off bool) {
	has := func(part string) bool { return bytes.Contains(rest.Args, []byte(part)) }
	switch {
	case has("F_SETFL"):
		return has("O_NONBLOCK"), !has("O_NONBLOCK")
	case has("FIONBIO"):
		return has("[1]"), has("[0]")
	}
	return false, false
}

// Listed are the descriptors in the arguments of a call that has a list of them, as poll and
// select have it.
func Listed(args []byte) iter.Seq[int] {
	return func(yield func(int) bool) {
		for text := range ListedTexts(args) {
			if !yield(strace.Number(text)) {
				return
			}
		}
	}
}

// ListedTexts are the texts that begin with each of these descriptors.
func ListedTexts(args []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		depth := 0
		for i, c := range args {
			switch {
			case c == '[':
				depth++
			case c == ']':
				depth--
			case depth == 1 && c >= '0' && c <= '9' && (args[i-1] == '[' || args[i-1] == ' ' || bytes.HasSuffix(args[:i], []byte("fd="))):
				if !yield(args[i:]) {
					return
				}
			}
		}
	}
}
