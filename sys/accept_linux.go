//go:build !386 && !s390x

package sys

import "golang.org/x/sys/unix"

// AcceptCall is the name of the kernel call behind Accept on this platform.
const AcceptCall = "accept"

const acceptNumber = unix.SYS_ACCEPT
