package ptrace

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The numbers by which the kernel names architectures.
//
// Source: linux/audit.h.
const (
	ArchAMD64   = 0xc000003e
	Arch386     = 0x40000003
	ArchARM64   = 0xc00000b7
	ArchARM     = 0x40000028
	ArchRISCV64 = 0xc00000f3

	is64Bit = 0x80000000
)

// Architectures are those of the programs that this one may start: its own and, on x86-64, of
// 32-bit programs.
func Architectures() []uint32 {
	return map[string][]uint32{
		"amd64": {ArchAMD64, Arch386}, "386": {Arch386}, "arm64": {ArchARM64}, "arm": {ArchARM}, "riscv64": {ArchRISCV64},
	}[runtime.GOARCH]
}

// Wide reports whether it is a call of a 64-bit program, whose pointers have 8 bytes.
func (c *Call) Wide() bool { return c.Arch&is64Bit != 0 }

// The fields of struct seccomp_data that the filter looks at.
const (
	numberAt = 0
	archAt   = 4
)

// setFilter makes this thread, and what it executes, stop at some calls: each architecture's
// numbers stand in the map. All others are made at full speed.
//
// Source: seccomp(2).
func setFilter(calls map[uint32][]uint32) error {
	program := filter(calls)
	return unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&unix.SockFprog{
		Len: uint16(len(program)), Filter: &program[0],
	})), 0, 0)
}

// filter is the filter's program: the numbers of one architecture after those of another.
func filter(calls map[uint32][]uint32) []unix.SockFilter {
	load := func(at uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: at}
	}
	unless := func(value uint32, skip int) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: value, Jf: uint8(skip)}
	}
	answer := func(what uint32) unix.SockFilter { return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: what} }
	var program []unix.SockFilter
	for arch, numbers := range calls {
		// A jump goes over 255 instructions at most: this one goes over a jump that goes further.
		body := []unix.SockFilter{load(numberAt)}
		for _, n := range numbers {
			body = append(body, unless(n, 1), answer(unix.SECCOMP_RET_TRACE))
		}
		body = append(body, answer(unix.SECCOMP_RET_ALLOW))
		program = append(program, load(archAt), unless(arch, 1), unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JA, K: 1},
			unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JA, K: uint32(len(body))})
		program = append(program, body...)
	}
	return append(program, answer(unix.SECCOMP_RET_ALLOW))
}
