package replay

import (
	"bytes"
	"cmp"
	"slices"

	"lbaws/trace/event"
	"lbaws/trace/others"
	"lbaws/trace/strace"
)

// This file says what calls do to descriptors.

// mayConcern reports whether a call may be about a TCP socket. It reads no more than the
// first argument: of most lines of a long recording no more is ever looked at.
func (s *scan) mayConcern(p *process, l *strace.Line, c *others.Call) bool {
	fd, noted := strace.Number(l.Text), bytes.TrimLeft(l.Text, "0123456789")
	switch c.Effect {
	case event.Makes:
		return bytes.HasPrefix(l.Text, []byte("AF_INET")) || bytes.HasPrefix(l.Text, []byte("PF_INET"))
	case others.Polls, others.Adds:
		return p != nil
	case others.Epolls:
		return p != nil && p.epoll[fd]
	case event.Accepts, event.Binds, event.Connects, others.Forks: // a child may share what its parent opens later
		return true
	case others.Execs:
		return p != nil && len(p.open) > 0
	}
	switch {
	case bytes.HasPrefix(noted, []byte("<TCP")):
		return true
	case c.Effect == others.Replaces:
		return p != nil && len(p.open) > 0
	case strace.IsNote(noted) && !bytes.HasPrefix(noted, []byte("<socket:[")): // it is none, or no longer
		return false
	}
	return p.at(fd) != nil
}

// frees notes that a call that is left out has been given a number, or was made on one, that
// led to a socket before: its close is not in the recording, or was another call.
func (s *scan) frees(p *process, l *strace.Line) {
	if p == nil || len(p.open) == 0 {
		return
	}
	if fd, noted := strace.Number(l.Text), bytes.TrimLeft(l.Text, "0123456789"); p.at(fd) != nil && strace.IsNote(noted) {
		p.close(fd)
	}
	if !opens[string(l.Name)] {
		return
	}
	if rest, err := l.Parse(s.args[:0]); err == nil && p.at(rest.Value) != nil {
		p.close(rest.Value)
	}
}

// opens has the calls that return a descriptor, which does not lead to a TCP socket where
// they are left out.
var opens = map[string]bool{"open": true, "openat": true, "openat2": true, "creat": true, "socket": true, "accept": true, "accept4": true,
	"epoll_create": true, "epoll_create1": true, "eventfd": true, "eventfd2": true, "timerfd_create": true, "signalfd4": true,
	"memfd_create": true, "inotify_init1": true, "pidfd_open": true, "dup": true, "fcntl": true}

// begins does what is known when a call begins, and reports whether it is drawn.
func (s *scan) begins(b *step, rest *strace.Rest) bool {
	const mostPorts = 64
	p := b.process
	switch b.call.Effect {
	case others.Forks:
		shares := bytes.Contains(rest.Args, []byte("CLONE_FILES"))
		s.fork(&fork{thread: b.thread, shares: shares}, rest)
		return !shares && len(p.open) > 0
	case others.Execs, others.Epolls:
		return true
	case event.Makes:
		tcp := []string{"0", "IPPROTO_IP", "IPPROTO_TCP", "IPPROTO_MPTCP"} // multipath TCP is TCP as far as a program sees
		return len(s.args) > 2 && bytes.Contains(s.args[1], []byte("SOCK_STREAM")) && slices.Contains(tcp, string(s.args[2]))
	case others.ClosesSome:
		return s.closesRange(b)
	case others.Adds:
		b.socket = s.addsToEpoll(p)
	case others.Splices:
		b.socket = cmp.Or(p.at(s.fd(0)), p.at(s.fd(2)))
	case others.Replaces:
		b.socket = p.at(s.fd(0))
		return b.socket != nil || p.at(s.fd(1)) != nil
	case others.Polls:
		b.socket = p.listed(rest.Args)
	default:
		b.socket = s.adopted(p, b.call.Effect)
	}
	if b.socket == nil {
		return false
	}
	b.atOnce = b.socket.atOnce || (b.call.Does == event.Read || b.call.Does == event.Write) && others.HasFlag(rest, "MSG_DONTWAIT")
	switch b.call.Effect {
	case event.Sets:
		if bytes.Contains(rest.Args, []byte("SO_LINGER")) {
			b.socket.resets = bytes.Contains(rest.Args, []byte("l_onoff=1, l_linger=0"))
		}
		b.socket.timed = b.socket.timed || bytes.Contains(rest.Args, []byte("TIMEO"))
	case event.Binds:
		b.socket.port = s.port()
	case others.Controls:
		if on, off := others.SetsNonBlocking(rest); on || off {
			b.socket.atOnce = on
		}
	case event.Connects:
		if others.IsDisconnect(b.call, rest) {
			break
		}
		b.socket.role, b.socket.port = clients, s.port()
		if len(p.ports) < mostPorts && !slices.Contains(p.ports, b.socket.port) {
			p.ports = append(p.ports, b.socket.port)
		}
	case event.Writes:
		if to := others.Opens(b.call, rest); to.IsValid() {
			b.socket.role, b.socket.port = clients, to.Port()
		}
	case event.Closes:
		b.shared = p.close(s.fd(0))
		b.resets = b.socket.resets
	}
	return true
}

// fork follows a fork to its child, which may make calls before the fork returns.
func (s *scan) fork(f *fork, rest *strace.Rest) {
	const most = 64 // at once
	child := rest.Value
	if rest.Unfinished {
		if s.children == nil {
			s.children = s.file.children()
		}
		later := s.children[f.thread]
		if len(later) == 0 {
			s.forks = append(s.forks[max(0, len(s.forks)+1-most):], f)
			return
		}
		child, s.children[f.thread] = later[0], later[1:]
	}
	if child > 0 && s.byThread[child] == nil {
		s.born(f, child)
	}
}

// children finds, for each thread, the children of its forks that return in another line
// than they begin, in their order.
func (f *file) children() map[int][]int {
	found := make(map[int][]int)
	for text := range f.lines() {
		if !bytes.Contains(text, []byte("<... ")) {
			continue
		}
		if l := strace.ParseLine(text); l.Kind == strace.Resumed && isFork(l.Name) {
			if rest, err := l.Parse(nil); err == nil {
				found[l.Thread] = append(found[l.Thread], rest.Value)
			}
		}
	}
	return found
}

func isFork(name []byte) bool {
	c := others.Named(string(name))
	return c != nil && c.Effect == others.Forks
}

// fd is the descriptor that is the ith argument of the call in hand; -1 if that is none.
func (s *scan) fd(i int) int {
	if i >= len(s.args) {
		return -1
	}
	return strace.Number(s.args[i])
}

// port is the port of the address that the call in hand is given; 0 if there is none.
func (s *scan) port() uint16 {
	if len(s.args) < 2 {
		return 0
	}
	addr, _ := strace.ParseSockaddr(s.args[1])
	return addr.Port()
}

// adopted returns the socket on which a call is made. Where the recording does not have
// the call that made it, strace -yy says what it is, or the call that is made on it.
func (s *scan) adopted(p *process, effect event.Effect) *socket {
	fd := s.fd(0)
	if known := p.at(fd); known != nil || fd < 0 {
		return known
	}
	role := unknown
	switch isInet := len(s.args) > 1 && bytes.HasPrefix(s.args[1], []byte("{sa_family=AF_INET")); {
	case isInet && effect == event.Accepts:
		role = servers
	case bytes.HasPrefix(bytes.TrimLeft(s.args[0], "0123456789"), []byte("<TCP")):
	default:
		return nil
	}
	made := s.create(role)
	p.set(fd, descriptor{socket: made})
	return made
}

// listed returns the first TCP socket in a list of descriptors; or nil.
func (p *process) listed(args []byte) *socket {
	if len(p.open) == 0 {
		return nil
	}
	for fd := range others.Listed(args) {
		if listed := p.at(fd); listed != nil {
			return listed
		}
	}
	return nil
}

// closesRange closes the sockets in a range of descriptors, and reports whether there are
// any.
func (s *scan) closesRange(b *step) bool {
	if len(s.args) < 2 {
		return false
	}
	first, last := s.fd(0), s.fd(1)
	p, before := b.process, len(b.process.open)
	b.ended = s.closeSome(p, func(fd int, _ descriptor) bool { return fd >= first && (last < 0 || fd <= last) })
	return len(p.open) < before
}

// addsToEpoll notes that an epoll descriptor waits for a socket too, and returns that; or nil.
func (s *scan) addsToEpoll(p *process) *socket {
	added := p.at(s.fd(2))
	if added != nil {
		if p.epoll == nil {
			p.epoll = make(map[int]bool)
		}
		p.epoll[s.fd(0)] = true
	}
	return added
}

// returns does what a call has done.
func (s *scan) returns(b *step, rest *strace.Rest) {
	if rest.Value < 0 {
		b.atOnce = b.atOnce || b.socket != nil && !b.socket.timed && (rest.Errno == "EAGAIN" || rest.Errno == "EINPROGRESS")
		return
	}
	p, made := b.process, descriptor{socket: b.socket, closeOnExec: bytes.Contains(rest.Args, []byte("CLOEXEC"))}
	switch b.call.Effect {
	case event.Makes:
		made.socket = s.create(unknown)
		made.socket.atOnce = bytes.Contains(rest.Args, []byte("SOCK_NONBLOCK"))
		b.socket, b.made = made.socket, made.socket
	case event.Accepts:
		made.socket = s.create(servers)
		made.socket.accepted, made.socket.atOnce = true, bytes.Contains(rest.Args, []byte("SOCK_NONBLOCK"))
		made.socket.resets = b.socket.resets // Linux copies the listening socket's options, and not its O_NONBLOCK
		b.socket.role, p.serves, b.made = servers, true, made.socket
	case event.Listens:
		b.socket.role, p.serves = servers, true
		return
	case others.Execs:
		b.ended = s.closeSome(p, func(_ int, d descriptor) bool { return d.closeOnExec })
		return
	case others.Controls:
		if !bytes.Contains(rest.Args, []byte("F_DUPFD")) {
			fd := strace.Number(rest.Args)
			if d, open := p.open[fd]; open && bytes.Contains(rest.Args, []byte("F_SETFD")) {
				d.closeOnExec = bytes.Contains(rest.Args, []byte("FD_CLOEXEC"))
				p.open[fd] = d
			}
			return
		}
	case others.Replaces:
		if old := p.at(rest.Value); old != nil && old != b.socket && !p.close(rest.Value) {
			b.ended = []*socket{old}
		}
	case others.Duplicates:
	case others.Polls:
		if ready := p.at(firstReady(rest.Result)); ready != nil {
			b.socket = ready
		}
		return
	default:
		return
	}
	if made.socket != nil {
		p.set(rest.Value, made)
	}
}

// firstReady is the first descriptor that poll or select says is ready; -1 if there is none.
func firstReady(result []byte) int {
	for _, mark := range []string{"{fd=", "(in [", "(out [", "out ["} {
		if _, after, found := bytes.Cut(result, []byte(mark)); found {
			return strace.Number(after)
		}
	}
	return -1
}
