package patient

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"lbaws/sys"
)

// grace is how long a client that has its answer may go on sending after Leave.
const grace = 400 * time.Millisecond

// Leave asks the program to leave: Accept and Connect return ECANCELED, and Read
// as it says there. A wait in one of them ends at once, but for a half-closed
// connection's, which may take a moment longer. Leave returns after that moment.
func (k *Kernel) Leave() {
	k.leaving.Store(true)
	k.wakeNow()
	k.sleep(grace)
	k.urgent.Store(true)
	k.wakeNow()
}

// hurries reports whether the program has been leaving for so long that an
// accepted connection is read no more. (After a shutdown for reading, Linux
// still hands over data that comes later.)
func (k *Kernel) hurries(fd int) bool { return k.urgent.Load() && k.isAccepted(fd) }

func (k *Kernel) wakeNow() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.wake()
}

// wake ends the wait. After shutdown(SHUT_RD) read returns 0, and accept fails,
// on Linux with EINVAL. Other systems may answer ENOTCONN for a listening
// socket, and not all of them end the wait all the same; a connection of the
// program's own to itself does.
func (k *Kernel) wake() {
	halfClosed := !k.accepted[k.wait.fd].restEnd.IsZero()
	if k.wait.call == "" || k.wait.call == "write" || halfClosed && !k.urgent.Load() {
		return
	}
	err := k.Kernel.Shutdown(k.wait.fd, unix.SHUT_RD)
	if k.wait.call == "accept" && errors.Is(err, unix.ENOTCONN) {
		k.connectToItself(k.wait.fd)
	}
}

// connectToItself makes a connection to the listening socket and closes it.
func (k *Kernel) connectToItself(listening int) {
	var local sys.Sockaddr
	if k.Kernel.Getsockname(listening, &local) != nil {
		return
	}
	own := sys.Reachable(local.AddrPort())
	fd, err := k.Kernel.Socket(sys.Family(own), unix.SOCK_STREAM, unix.IPPROTO_IP)
	if err == nil {
		k.Kernel.Connect(fd, own)
		k.Kernel.Close(fd)
	}
}
