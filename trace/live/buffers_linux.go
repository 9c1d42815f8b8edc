package live

import (
	"encoding/binary"
	"iter"

	"lbaws/trace/event"
)

// mostData is how many bytes of a buffer are kept: a request and a response are whole.
const mostData = 4096

// setBuffer gives the event of a call that reads or writes the bytes that have been, of
// which strace's text has the beginning.
func (w *watcher) setBuffer(e *event.Event, c *call, result int) {
	switch {
	case !w.more:
	case e.Call.Does == event.Writes:
		if c.data == nil {
			c.data = c.buffer(e.Args[2].Int)
		}
		e.Args[1].Data, e.Recorded.Whole = c.data, true
	case e.Call.Does == event.Reads && result > 0:
		e.Args[1].Data, e.Recorded.Whole = c.buffer(result), true
	}
}

// buffer returns the beginning of the n bytes that a call reads or writes.
func (c *call) buffer(n int) (data []byte) {
	n = max(min(n, mostData), 0)
	for base, length := range c.vectors() {
		start := len(data)
		data = append(data, make([]byte, min(length, uint64(n-start)))...)
		data = data[:start+c.thread.ReadAt(data[start:], base)]
	}
	return data
}

// room is how many bytes a call is to read or write; -1 if that is not known.
func (c *call) room() int {
	const most = 1<<31 - 1 - 4096 // MAX_RW_COUNT
	room, known := uint64(0), false
	for _, length := range c.vectors() {
		room, known = room+min(length, most), true
	}
	if !known {
		return -1
	}
	return int(room)
}

// vectors are the places and lengths of the buffers of a call that reads or writes, which may
// be an array of struct iovec.
func (c *call) vectors() iter.Seq2[uint64, uint64] {
	const most = 1024 // UIO_MAXIOV
	return func(yield func(base, length uint64) bool) {
		at, count := c.Args[1], c.Args[2]
		switch c.Name {
		case "read", "recv", "recvfrom", "write", "send", "sendto":
			yield(at, count)
			return
		case "readv", "writev":
		case "recvmsg", "sendmsg":
			at, count = c.word(at, 2), c.word(at, 3) // of struct msghdr
		default:
			return
		}
		for i := range int(min(count, most)) {
			if !yield(c.word(at, 2*i), c.word(at, 2*i+1)) {
				return
			}
		}
	}
}

// word is the ith word of a structure in the program's memory.
func (c *call) word(addr uint64, i int) uint64 {
	var b [8]byte
	if c.thread.Call.Wide() {
		c.thread.ReadAt(b[:], addr+8*uint64(i))
	} else {
		c.thread.ReadAt(b[:4], addr+4*uint64(i))
	}
	return binary.NativeEndian.Uint64(b[:])
}
