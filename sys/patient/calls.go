package patient

import (
	"errors"

	"golang.org/x/sys/unix"
)

// Read is the call read, made again if a signal interrupts it. It returns a
// Timeout or OthersWait if the peer is silent for too long. After Leave, it returns
// ECANCELED on a connection made with Connect; on an accepted one it returns what has
// come, or 0 as at end of file.
func (k *Kernel) Read(fd int, p []byte) (int, error) {
	for {
		if k.hurries(fd) {
			return 0, nil
		}
		if err := k.begin("read", fd); err != nil {
			return -1, err
		}
		n, err := k.Kernel.Read(fd, p)
		gaveUp := k.end()
		switch {
		case gaveUp != nil && n <= 0:
			return -1, gaveUp
		case errors.Is(err, unix.EAGAIN):
			return -1, Timeout(k.timeout)
		case errors.Is(err, unix.EINTR):
			continue
		case n <= 0 && k.leaving.Load() && !k.isAccepted(fd):
			return -1, unix.ECANCELED
		}
		return n, err
	}
}

// Write writes all of p, in as many calls as it takes (UNP figure 3.16): n is
// len(p), or -1 with an error. It returns a Timeout or OthersWait if the peer takes
// nothing for too long. After Leave, it makes no more calls on a connection made with
// Connect, and returns ECANCELED.
func (k *Kernel) Write(fd int, p []byte) (n int, err error) {
	for n < len(p) {
		if err := k.begin("write", fd); err != nil {
			return -1, err
		}
		written, err := k.Kernel.Write(fd, p[n:])
		gaveUp := k.end()
		switch {
		case gaveUp != nil && written <= 0:
			return -1, gaveUp
		case errors.Is(err, unix.EAGAIN):
			return -1, Timeout(k.timeout)
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return -1, err
		case written == 0:
			return -1, unix.EIO // otherwise the loop might never end
		}
		n += written
	}
	return n, nil
}

// Shutdown is the call shutdown. After a half-close (unix.SHUT_WR), the peer of an
// accepted connection may be silent for at most longestSilence, and go on sending
// for at most longestRest, but never past the connection's deadline; with
// OnlyForOthers, it has longestWithOthers in all once others wait.
func (k *Kernel) Shutdown(fd, how int) error {
	err := k.Kernel.Shutdown(fd, how)
	if err == nil && how == unix.SHUT_WR {
		k.halfClosed(fd)
	}
	return err
}

// Close is the call close.
func (k *Kernel) Close(fd int) error {
	k.mu.Lock()
	delete(k.accepted, fd)
	if fd == k.listening {
		k.listening = -1
	}
	k.mu.Unlock()
	return k.Kernel.Close(fd)
}

func (k *Kernel) isAccepted(fd int) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	_, accepted := k.accepted[fd]
	return accepted
}
