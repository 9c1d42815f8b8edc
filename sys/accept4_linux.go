//go:build 386 || s390x

package sys

import "golang.org/x/sys/unix"

// AcceptCall is the name of the kernel call behind Accept on this platform,
// which was given accept4 and no accept.
const AcceptCall = "accept4"

const acceptNumber = unix.SYS_ACCEPT4
