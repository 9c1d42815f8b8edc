package turns

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/sys/process"
)

// openPair makes the pair of sockets by which programs pass their descriptors on: before the
// first of them, which gets a copy of what is open then.
func (s *Stage) openPair() error {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return sys.Fail("socketpair", "AF_UNIX", err)
	}
	s.pair = [2]int{process.MoveUp(pair[0]), process.MoveUp(pair[1])}
	return nil
}

// passOn sends descriptors of the calling thread.
//
// Source: unix(7), SCM_RIGHTS.
func passOn(to int, fds []int) error {
	return sys.Fail("sendmsg", "SCM_RIGHTS", unix.Sendmsg(to, []byte{0}, unix.UnixRights(fds...), nil, 0))
}

// takeOver takes copies of descriptors, and gives them the numbers of the originals.
func takeOver(from int, numbers []int) error {
	rights := make([]byte, unix.CmsgSpace(4*len(numbers)))
	_, n, _, _, err := unix.Recvmsg(from, make([]byte, 1), rights, 0)
	if err != nil {
		return sys.Fail("recvmsg", "SCM_RIGHTS", err)
	}
	messages, err := unix.ParseSocketControlMessage(rights[:n])
	if err != nil {
		return sys.Fail("recvmsg", "SCM_RIGHTS", err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil {
		return sys.Fail("recvmsg", "SCM_RIGHTS", err)
	}
	for i := range fds { // all at first, or one might have the number that another one is to get
		fds[i] = process.MoveUp(fds[i])
	}
	for i, fd := range fds {
		if err := unix.Dup3(fd, numbers[i], unix.O_CLOEXEC); err != nil {
			return sys.Fail("dup3", fmt.Sprint(fd), err)
		}
		unix.Close(fd)
	}
	return nil
}

// isShared reports whether another program has a descriptor of the same socket.
func (s *Stage) isShared(p *program, fd int) bool {
	target := func(thread, fd int) string {
		var link [64]byte
		n, _ := unix.Readlink(fmt.Sprintf("/proc/self/task/%d/fd/%d", thread, fd), link[:])
		return string(link[:max(0, n)])
	}
	socket := target(p.caller.Thread, fd)
	for _, other := range s.programs {
		if other.puppet == nil || other == p || !strings.HasPrefix(socket, "socket:") || s.stateOf(other) == over {
			continue
		}
		for _, theirs := range other.puppet.sockets {
			if target(other.caller.Thread, theirs) == socket {
				return true
			}
		}
	}
	return false
}
