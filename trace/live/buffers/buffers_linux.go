package buffers

import (
	"encoding/binary"
	"iter"

	"lbaws/sys/ptrace"
	"lbaws/trace/strace/spell"
)

// most is how many bytes of a buffer are kept: a request and a response are whole.
const most = 4096

// Read returns the beginning of the n bytes that a thread's call reads or writes.
func Read(c *spell.Call, t *ptrace.Thread, n int) (data []byte) {
	n = max(min(n, most), 0)
	for base, length := range vectors(c, t) {
		start := len(data)
		data = append(data, make([]byte, min(length, uint64(n-start)))...)
		data = data[:start+t.ReadAt(data[start:], base)]
	}
	return data
}

// Room is how many bytes a call is to read or write; -1 if that is not known.
func Room(c *spell.Call, t *ptrace.Thread) int {
	const most = 1<<31 - 1 - 4096 // MAX_RW_COUNT
	room, known := uint64(0), false
	for _, length := range vectors(c, t) {
		room, known = room+min(length, most), true
	}
	if !known {
		return -1
	}
	return int(room)
}

// vectors are the places and lengths of the buffers of a call that reads or writes, which may
// be an array of struct iovec.
func vectors(c *spell.Call, t *ptrace.Thread) iter.Seq2[uint64, uint64] {
	const most = 1024 // UIO_MAXIOV
	return func(yield func(base, length uint64) bool) {
		at, count := c.Args[1], c.Args[2]
		switch c.Name {
		case "read", "recv", "recvfrom", "write", "send", "sendto":
			yield(at, count)
			return
		case "readv", "writev":
		case "recvmsg", "sendmsg":
			at, count = Word(t, at, 2), Word(t, at, 3) // of struct msghdr
		default:
			return
		}
		for i := range int(min(count, most)) {
			if !yield(Word(t, at, 2*i), Word(t, at, 2*i+1)) {
				return
			}
		}
	}
}

// Word is the ith word of a structure in a program's memory.
func Word(t *ptrace.Thread, addr uint64, i int) uint64 {
	var b [8]byte
	if t.Call.Wide() {
		t.ReadAt(b[:], addr+8*uint64(i))
	} else {
		t.ReadAt(b[:4], addr+4*uint64(i))
	}
	return binary.NativeEndian.Uint64(b[:])
}

// HasFlag reports whether a call that reads or writes has a flag.
func HasFlag(c *spell.Call, flag uint64) bool {
	switch c.Name {
	case "recvmsg", "sendmsg":
		return c.Args[2]&flag != 0
	case "recv", "send", "recvfrom", "sendto", "recvmmsg", "sendmmsg":
		return c.Args[3]&flag != 0
	}
	return false
}

// CloneFlags are the flags of a fork or clone.
func CloneFlags(c *spell.Call, t *ptrace.Thread) uint64 {
	switch c.Name {
	case "clone":
		return c.Args[0]
	case "clone3": // the first of its structure
		return Word(t, c.Args[0], 0)
	}
	return 0
}

// PassesDescriptors reports whether a call may send descriptors to another process.
//
// Source: unix(7), SCM_RIGHTS.
func PassesDescriptors(c *spell.Call, t *ptrace.Thread) bool {
	const controlLength = 5 // which word of struct msghdr
	return c.Name == "sendmmsg" || c.Name == "sendmsg" && Word(t, c.Args[1], controlLength) > 0
}
