package patient

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"lbaws/sys"
)

// grace is how long, after Leave, a client that has its answer may go on sending.
const grace = 400 * time.Millisecond

// Leave makes the calls end so that the program can exit: Accept and Connect return
// ECANCELED, and Read and Write behave as their comments say. A wait in Accept,
// Connect or Read ends at once; only on a half-closed connection may Read go on for
// the grace period. A write that waits is not interrupted. Leave returns after the
// grace period.
func (k *Kernel) Leave() {
	k.leaving.Store(true)
	k.wakeNow()
	k.sleep(grace)
	k.urgent.Store(true)
	k.wakeNow()
}

// hurries reports whether fd is an accepted connection that is no longer read,
// because the grace period is over. (After a shutdown for reading, Linux still
// hands over data that arrives later.)
func (k *Kernel) hurries(fd int) bool { return k.urgent.Load() && k.isAccepted(fd) }

func (k *Kernel) wakeNow() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.wake()
}

// wake ends the current wait. After shutdown(SHUT_RD), read returns 0, and accept
// fails, on Linux with EINVAL. On other systems, shutdown of a listening socket may
// fail with ENOTCONN and leave accept waiting; then a connection that the program
// makes to itself ends the wait.
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
