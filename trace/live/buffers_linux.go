package live

import (
	"encoding/binary"

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
func (c *call) buffer(n int) []byte {
	if n = min(n, mostData); n <= 0 {
		return nil
	}
	switch c.Name {
	case "readv", "writev":
		return c.gather(c.Args[1], c.Args[2], n)
	case "recvmsg", "sendmsg":
		return c.gather(c.word(c.Args[1], 2), c.word(c.Args[1], 3), n) // of struct msghdr
	case "sendfile", "sendfile64": // it has none
		return nil
	}
	return c.memory(nil, c.Args[1], n)
}

// memory appends n bytes of the program's memory.
func (c *call) memory(b []byte, addr uint64, n int) []byte {
	start := len(b)
	b = append(b, make([]byte, n)...)
	return b[:start+c.thread.ReadAt(b[start:], addr)]
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

// gather returns the first n bytes of an array of struct iovec.
func (c *call) gather(vectors, count uint64, n int) (data []byte) {
	const most = 64
	size := uint64(16)
	if !c.thread.Call.Wide() {
		size = 8
	}
	for i := range min(count, most) {
		base, length := c.word(vectors+i*size, 0), c.word(vectors+i*size, 1)
		data = c.memory(data, base, int(min(length, uint64(n-len(data)))))
	}
	return data
}
