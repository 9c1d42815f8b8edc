package replay

import (
	"strings"

	"lbaws/trace/event"
)

// call is a system call that real programs make on sockets.
type call struct {
	name  string
	does  *event.Call // what it does, as the server's and the client's calls do it; or itself
	entry int         // how many arguments strace writes when it begins; 0 is all
	note  string      // what it does, if the server and the client do not make it
}

// calls are those that are drawn, if they are about a TCP socket.
var calls = callsByName()

func callsByName() map[string]*call {
	const (
		waits      = "wait until one of these descriptors is ready: a call on it will return at once"
		inherits   = "a child, which has the same descriptors: each of them leads to the same socket"
		duplicates = "one more descriptor for the same socket"
	)
	calls := make(map[string]*call)
	accept, read, write, mayWait := event.Named("accept"), event.Named("read"), event.Named("write"), &event.Call{Waits: true}
	for _, c := range []call{
		{name: "socket setsockopt bind listen connect shutdown close"},
		{name: "nanosleep"}, // of this program's own traces
		{name: "getsockname getpeername", entry: 1},
		{name: "accept accept4", does: accept, entry: 1},
		{name: "read readv recv recvfrom recvmsg", does: read, entry: 1},
		{name: "write writev send sendto sendmsg sendfile sendfile64", does: write},
		{name: "getsockopt", entry: 3, note: "ask the kernel about the socket"},
		{name: "dup dup2 dup3", note: duplicates},
		{name: "fcntl fcntl64 ioctl close_range execve execveat"},
		{name: "fork vfork clone clone3", note: inherits},
		{name: "poll ppoll select _newselect pselect6", does: mayWait, note: waits},
		{name: "epoll_ctl", note: "let epoll_wait wait for this descriptor too"},
		{name: "epoll_wait epoll_pwait epoll_pwait2", does: mayWait, entry: 1, note: waits},
		{name: "splice sendmmsg", does: mayWait},
		{name: "recvmmsg", does: mayWait, entry: 1},
	} {
		for name := range strings.FieldsSeq(c.name) {
			each := c
			if each.name = name; c.does == nil {
				each.does = event.Named(name)
			}
			if each.does == nil || each.does == mayWait {
				each.does = &event.Call{Name: name, Waits: c.does == mayWait}
			}
			calls[name] = &each
		}
	}
	return calls
}

// isOneRow reports whether a call is one row of the diagram, and not one when it begins
// and one when it returns.
func (c *call) isOneRow() bool { return !c.does.Waits || c.does.Name == "write" }
