package patient

import (
	"errors"

	"golang.org/x/sys/unix"
)

// Read is the call read, made again if a signal interrupts it. It returns a
// Timeout if the peer is silent for too long. When the program is leaving, it
// returns ECANCELED for a connection made with Connect; of an accepted one it
// returns what has come, or 0 as at the end of file.
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
		case gaveUp && n <= 0, errors.Is(err, unix.EAGAIN):
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
// len(p), or -1 with an error. It returns a Timeout if the peer takes nothing
// for too long.
func (k *Kernel) Write(fd int, p []byte) (n int, err error) {
	for n < len(p) {
		if err := k.begin("write", fd); err != nil {
			return -1, err
		}
		written, err := k.Kernel.Write(fd, p[n:])
		gaveUp := k.end()
		switch {
		case gaveUp && written <= 0, errors.Is(err, unix.EAGAIN):
			return -1, Timeout(k.timeout)
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return -1, err
		case written == 0:
			return -1, unix.EIO // a kernel that takes nothing would be asked for ever
		}
		n += written
	}
	return n, nil
}

// Shutdown is the call shutdown. After a half-close (unix.SHUT_WR) an accepted
// connection's peer is waited for no longer than it takes to read what it still
// sends.
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
	k.mu.Unlock()
	return k.Kernel.Close(fd)
}

func (k *Kernel) isAccepted(fd int) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	_, accepted := k.accepted[fd]
	return accepted
}
