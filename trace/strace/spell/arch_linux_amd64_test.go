package spell_test

import "golang.org/x/sys/unix"

const archHere = unix.AUDIT_ARCH_X86_64

var archs = []uint32{archHere, unix.AUDIT_ARCH_I386}
