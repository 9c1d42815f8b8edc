package field

import "encoding/binary"

// Memory is a program's memory.
type Memory interface {
	// ReadAt fills p with what stands at addr, and returns how many bytes of it could be
	// read. It does not keep p.
	ReadAt(p []byte, addr uint64) int
}

// Writer appends values to a text.
type Writer struct {
	B      []byte // the text
	Memory Memory
	Limit  int  // how many bytes of a buffer and elements of an array are shown: strace's -s
	Wide   bool // a 64-bit program: its pointers, longs and size_t have 8 bytes
	Failed bool // the call has failed: what the kernel was to fill in is not shown

	scratch [256]byte
}

// Order is that of the bytes of a number, in memory. The architectures that the package knows
// have the least significant byte first.
var Order = binary.LittleEndian
