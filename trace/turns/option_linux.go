package turns

import "golang.org/x/sys/unix"

// quickACK is the option TCP_QUICKACK: 0 lets the kernel delay an acknowledgement.
//
// Source: tcp(7).
const quickACK = unix.TCP_QUICKACK
