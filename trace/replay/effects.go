package replay

import (
	"bytes"
	"slices"

	"lbaws/trace/event"
	"lbaws/trace/others"
	"lbaws/trace/strace"
	"lbaws/trace/wire"
)

// This file says what calls do to descriptors.

// mayConcern reports whether a call may be about a TCP socket. It reads no more than the
// first argument: of most lines of a long recording no more is ever looked at.
func (s *scan) mayConcern(p *process, l *strace.Line, c *others.Call) bool {
	fd, noted := strace.Number(l.Text), bytes.TrimLeft(l.Text, "0123456789")
	switch c.Effect {
	case event.Makes:
		return bytes.HasPrefix(l.Text, []byte("AF_INET")) || bytes.HasPrefix(l.Text, []byte("PF_INET"))
	case event.Accepts, event.Binds, event.Connects, others.Forks, others.Adds: // a child may share what its parent opens later
		return true
	case others.Polls, others.Replaces, others.Splices, others.ClosesSome:
		return len(p.open) > 0 || bytes.Contains(l.Text, []byte("<TCP"))
	case others.Epolls:
		return p.epoll[fd]
	case others.Execs:
		return len(p.open) > 0
	}
	switch {
	case bytes.HasPrefix(noted, []byte("<TCP")), s.mayMistake(p, l, c):
		return true
	case bytes.HasPrefix(noted, []byte("<socket:[")):
		n := strace.ParseNote(l.Text[:len(l.Text)-len(strace.AfterNote(noted))])
		return p.at(fd) != nil || s.named.of(&n) != nil
	case strace.IsNote(noted): // it is none, or no longer
		return false
	}
	return p.at(fd) != nil || p.isLone() && string(l.Name) == "getpeername"
}

// mayMistake reports whether a call may have failed because its descriptor leads to no socket.
func (s *scan) mayMistake(p *process, l *strace.Line, c *others.Call) bool {
	if had := p.had(l.Text); !c.MayMistake(had) || !had && !bytes.HasPrefix(l.Text, []byte("-")) && bytes.HasSuffix(l.Text, []byte(" <unfinished ...>")) {
		return false
	}
	return bytes.Contains(l.Text, []byte("EBADF")) || bytes.Contains(l.Text, []byte("ENOTSOCK")) || bytes.HasSuffix(l.Text, []byte("<unfinished ...>"))
}

// had reports whether a descriptor, which leads to no socket, has led to one, or is the -1 of a call
// that has failed to make one.
func (p *process) had(arg []byte) bool {
	if bytes.HasPrefix(arg, []byte("-1")) {
		return p.failed
	}
	return p.was[strace.Number(arg)] != nil
}

// leaves notes that a call is left out. It may have been given a number that led to a socket
// before, or be made on one: its close is not in the recording, or was another call.
func (s *scan) leaves(p *process, l *strace.Line, c *others.Call) {
	fd, note := strace.Number(l.Text), strace.ParseNote(l.Text[:min(len(l.Text), longestNoted)])
	isIdle := note.TCP || p.at(fd) != nil && (note.IsSockets() || onAnyFile[string(l.Name)])
	if note.Is && !note.IsSockets() {
		p.close(fd)
	}
	if bytes.HasSuffix(l.Name, []byte("msg")) {
		s.passes(p, l)
	}
	if opens[string(l.Name)] && (len(p.open)+len(p.was) > 0 || p.isLone()) {
		rest, err := l.Parse(s.args[:0])
		if err == nil && rest.Value >= 0 && (c == nil || c.Effect != others.Controls || bytes.Contains(rest.Args, []byte("F_DUPFD"))) {
			s.opensFiles(p, &rest)
		}
	}
	if c != nil && p.isLone() && s.isUnknown(p, l, c) {
		p.leaves(c.Name, 1)
		s.uses[fd] = s.uses[fd].note(s.lines, p)
		if c.Effect == event.Closes {
			s.doubts[fd] = s.lines
		}
		return
	}
	if isIdle {
		s.idle[string(l.Name)]++
	} else {
		s.left[string(l.Name)]++
	}
}

// longestNoted is how many bytes of a call's arguments may have a socket's descriptor and its note.
const longestNoted = 1 << 8

// onAnyFile has the calls that are given a descriptor of any kind, and do nothing to the connection
// of a socket. (Others may be given any number first.)
var onAnyFile = map[string]bool{"fstat": true, "fstat64": true, "newfstatat": true, "statx": true, "fstatfs": true, "lseek": true, "_llseek": true,
	"fadvise64": true, "fsync": true, "fdatasync": true, "ftruncate": true, "flock": true, "fchmod": true, "fchown": true,
	"fgetxattr": true, "pread64": true, "pwrite64": true, "preadv": true, "pwritev": true, "getdents64": true, "fchdir": true}

// isUnknown reports whether nothing says what a descriptor leads to that a call is given.
func (s *scan) isUnknown(p *process, l *strace.Line, c *others.Call) bool {
	const standard = 3 // below it are standard input, output and error
	unknown := func(text []byte) bool {
		fd := strace.Number(text)
		return fd >= standard && !strace.IsNote(bytes.TrimLeft(text, "0123456789")) && !p.files[fd]
	}
	switch c.Effect {
	case event.Makes, others.Forks, others.Execs, others.ClosesSome:
		return false
	case others.Polls:
		for text := range others.ListedTexts(l.Text) {
			if unknown(text) {
				return true
			}
		}
		return false
	case others.Adds:
		_, after := strace.Cut(l.Text, 2)
		return unknown(after)
	}
	return unknown(l.Text)
}

// opens has the calls that return a descriptor, or two, which do not lead to a TCP socket where
// they are left out.
var opens = map[string]bool{"open": true, "openat": true, "openat2": true, "creat": true, "socket": true, "accept": true, "accept4": true,
	"epoll_create": true, "epoll_create1": true, "eventfd": true, "eventfd2": true, "timerfd_create": true, "signalfd4": true,
	"memfd_create": true, "inotify_init1": true, "pidfd_open": true, "dup": true, "fcntl": true,
	"pipe": true, "pipe2": true, "socketpair": true}

// opensFiles notes what the calls of opens have returned.
func (s *scan) opensFiles(p *process, rest *strace.Rest) {
	made := []int{rest.Value}
	if rest.Value == 0 && bytes.Contains(rest.Args, []byte("[")) {
		made = slices.Collect(others.Listed(rest.Args))
	}
	for _, fd := range made {
		p.close(fd)
		delete(p.was, fd)
		if p.isLone() {
			if p.files == nil {
				p.files = make(map[int]bool)
			}
			p.files[fd] = true
		}
	}
}

// begins does what is known when a call begins, and reports whether it is drawn.
func (s *scan) begins(b *step, rest *strace.Rest) bool {
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
		return s.inRange(p, func(int) {})
	case others.Adds:
		b.socket = s.addsToEpoll(p)
	case others.Splices:
		b.socket = s.at(p, s.arg(0))
		if into := s.at(p, s.arg(2)); b.socket == nil {
			b.socket, b.into = into, true
		}
	case others.Replaces:
		b.socket = s.at(p, s.arg(0))
		return s.at(p, s.arg(1)) != nil || b.socket != nil
	case others.Polls:
		b.socket = s.listed(p, rest.Args)
	default:
		b.socket = s.adopted(p, b.call)
	}
	if p = p.last(); b.socket == nil {
		return s.mistakes(b, p, rest)
	}
	b.process = p
	b.atOnce = b.socket.atOnce || (b.call.Does == event.Read || b.call.Does == event.Write) && others.HasFlag(rest, "MSG_DONTWAIT")
	switch b.call.Effect {
	case event.Sets:
		if bytes.Contains(rest.Args, []byte("SO_LINGER")) {
			b.socket.resets = bytes.Contains(rest.Args, []byte("l_onoff=1, l_linger=0"))
		}
		b.socket.timed = b.socket.timed || bytes.Contains(rest.Args, []byte("TIMEO"))
	case event.Binds:
		at, _ := strace.ParseSockaddr(s.arg(1))
		b.socket.port, b.socket.ends.Local = at.Port(), wire.Plain(at)
		p.binds = p.binds || at.Port() != 0
	case event.Accepts:
		if b.socket.role == clients { // it fails
			break
		}
		p.serves = true
		p.listensAt(b.socket.ends.Local)
		if b.socket.role = servers; b.socket.port == 0 {
			b.socket.port = b.socket.ends.Local.Port()
		}
	case others.Controls:
		if on, off := others.SetsNonBlocking(rest); on || off {
			b.socket.atOnce = on
		}
	case event.Connects:
		if others.IsDisconnect(b.call, rest) || b.socket.role == servers {
			break
		}
		b.socket.role, b.socket.port, b.socket.tried = clients, s.port(), true
		p.reaches(b.socket.port)
	case event.Writes:
		if to := others.Opens(b.call, rest); to.IsValid() {
			b.socket.role, b.socket.port, b.socket.tried = clients, to.Port(), true
			p.reaches(b.socket.port)
		}
	case event.Closes:
		b.fd = s.fd(0)
		b.shared = p.close(b.fd)
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
	for text := range f.Lines() {
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

// arg is the ith argument of the call in hand; none if it has less.
func (s *scan) arg(i int) []byte {
	if i >= len(s.args) {
		return nil
	}
	return s.args[i]
}

// fd is the descriptor that is the ith argument of the call in hand; -1 if that is none.
func (s *scan) fd(i int) int { return strace.Number(s.arg(i)) }

// port is the port of the address that the call in hand is given; 0 if there is none.
func (s *scan) port() uint16 {
	addr, _ := strace.ParseSockaddr(s.arg(1))
	return addr.Port()
}

// adopted returns the socket on which a call is made. Where the recording does not have
// the call that made it, strace -yy says what it is, or the call that is made on it.
func (s *scan) adopted(p *process, c *others.Call) *socket {
	fd := s.fd(0)
	if known := s.at(p, s.arg(0)); known != nil || fd < 0 {
		return known
	}
	addr, isInet := strace.ParseSockaddr(s.arg(1))
	switch {
	case !isInet:
	case c.Effect == event.Accepts:
		made := s.create(servers)
		s.set(p, fd, descriptor{socket: made})
		return made
	case c.Name == "getpeername":
		if found := s.named.byPeer[addr]; found != nil && s.sharing(p, fd, found) != p {
			return found
		}
	}
	return nil
}

// mistakes reports whether the call in hand has failed because its descriptor leads to no socket.
// Its column is that of the socket to which the descriptor has led, if there is one.
func (s *scan) mistakes(b *step, p *process, rest *strace.Rest) bool {
	if b.mistaken = b.call.Mistakes(rest.Errno, p.had(s.arg(0)), rest.Args); !b.mistaken {
		return false
	}
	b.socket = p.was[s.fd(0)]
	p.serves = p.serves || b.call.Effect == event.Listens || b.call.Effect == event.Accepts
	p.binds = p.binds || b.call.Effect == event.Binds && s.port() != 0
	return true
}

// listed returns the first TCP socket in a list of descriptors; or nil.
func (s *scan) listed(p *process, args []byte) *socket {
	for text := range others.ListedTexts(args) {
		if listed := s.at(p, text); listed != nil {
			return listed
		}
	}
	return nil
}

// inRange gives the descriptors of TCP sockets that are in the range of the call in hand, and
// reports whether there are any.
func (s *scan) inRange(p *process, each func(fd int)) (some bool) {
	first, last := s.fd(0), s.fd(1)
	if len(p.open) == 0 || !s.mayLookAt(len(p.open)) {
		return false
	}
	for fd := range p.open {
		if fd >= first && (last < 0 || fd <= last) {
			some = true
			each(fd)
		}
	}
	return some
}

// addsToEpoll notes that an epoll descriptor waits for a socket too, and returns that; or nil.
func (s *scan) addsToEpoll(p *process) *socket {
	added := s.at(p, s.arg(2))
	if p = p.last(); added != nil {
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
		b.process.last().failed = b.process.last().failed || b.call.Effect == event.Makes || b.call.Effect == event.Accepts
		b.atOnce = b.atOnce || b.socket != nil && !b.socket.timed && (rest.Errno == "EAGAIN" || rest.Errno == "EINPROGRESS")
		return
	}
	p, made := b.process.last(), descriptor{socket: b.socket, closeOnExec: bytes.Contains(rest.Args, []byte("CLOEXEC"))}
	switch b.call.Effect {
	case event.Makes:
		made.socket = s.create(unknown)
		made.socket.atOnce = bytes.Contains(rest.Args, []byte("SOCK_NONBLOCK"))
		b.socket, b.made = made.socket, made.socket
		s.makes(p, made.socket, rest)
	case event.Accepts:
		made.socket = s.create(servers)
		made.socket.accepted, made.socket.atOnce = true, bytes.Contains(rest.Args, []byte("SOCK_NONBLOCK"))
		made.socket.resets = b.socket.resets // Linux copies the listening socket's options, and not its O_NONBLOCK
		made.socket.port, b.made = b.socket.port, made.socket
		s.makes(p, made.socket, rest)
	case event.Listens:
		b.socket.role, p.serves = servers, true
		p.listensAt(b.socket.ends.Local)
		return
	case others.Execs:
		b.ended = s.closeSome(p, func(_ int, d descriptor) bool { return d.closeOnExec })
		p.was, p.failed = nil, false
		return
	case event.Asks:
		if own, isInet := strace.ParseSockaddr(s.arg(1)); isInet && b.socket != nil {
			b.socket.ends.Local = wire.Plain(own)
			if b.socket.role != clients && b.socket.port == 0 {
				b.socket.port = own.Port()
			}
		}
		return
	case others.ClosesSome:
		s.closesRange(b, p)
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
		p.reuses(rest.Value)
		s.set(p.last(), rest.Value, made)
	}
}

// makes notes where a socket comes from that a call has made.
func (s *scan) makes(p *process, made *socket, rest *strace.Rest) {
	made.maker, made.made = p, s.lines
	n := strace.ParseNote(rest.Result)
	s.named.learn(made, &n)
	if peer, isInet := strace.ParseSockaddr(s.arg(1)); isInet {
		made.ends.Remote = wire.Plain(peer)
		s.named.byPeer[made.ends.Remote] = made
	}
}

// closesRange notes that a range of descriptors is closed, or is to be when the program executes
// another one.
func (s *scan) closesRange(b *step, p *process) {
	if !bytes.Contains(s.arg(2), []byte("CLOEXEC")) {
		first, last := s.fd(0), s.fd(1)
		b.ended = s.closeSome(p, func(fd int, _ descriptor) bool { return fd >= first && (last < 0 || fd <= last) })
		return
	}
	s.inRange(p, func(fd int) {
		d := p.open[fd]
		d.closeOnExec = true
		p.open[fd] = d
	})
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
