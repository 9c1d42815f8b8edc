package process

import (
	"fmt"

	"golang.org/x/sys/unix"

	"lbaws/sys"
)

// A Passage is a pair of sockets by which a thread with descriptors of its own passes them on to
// another one: both have to get theirs after it was made.
type Passage [2]int

// NewPassage makes a passage, with descriptors of 10 or above.
func NewPassage() (Passage, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return Passage{}, sys.Fail("socketpair", "AF_UNIX", err)
	}
	return Passage{MoveUp(pair[0]), MoveUp(pair[1])}, nil
}

// Pass passes on descriptors of the calling thread.
//
// Source: unix(7), SCM_RIGHTS.
func (p Passage) Pass(fds []int) error {
	return sys.Fail("sendmsg", "SCM_RIGHTS", unix.Sendmsg(p[0], []byte{0}, unix.UnixRights(fds...), nil, 0))
}

// Take takes copies of descriptors that were passed on, and gives them the numbers that the
// originals have.
func (p Passage) Take(numbers []int) error {
	rights := make([]byte, unix.CmsgSpace(4*len(numbers)))
	_, n, _, _, err := unix.Recvmsg(p[1], make([]byte, 1), rights, 0)
	if err != nil {
		return sys.Fail("recvmsg", "SCM_RIGHTS", err)
	}
	messages, err := unix.ParseSocketControlMessage(rights[:n])
	if err != nil || len(messages) == 0 {
		return sys.Fail("recvmsg", "SCM_RIGHTS", err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil {
		return sys.Fail("recvmsg", "SCM_RIGHTS", err)
	}
	for i := range fds { // all at first, or one might have the number that another one is to get
		fds[i] = MoveUp(fds[i])
	}
	for i, fd := range fds {
		if err := unix.Dup3(fd, numbers[i], unix.O_CLOEXEC); err != nil {
			return sys.Fail("dup3", fmt.Sprint(fd), err)
		}
		unix.Close(fd)
	}
	return nil
}
