package spell

import (
	"bytes"
	"encoding/binary"
	"slices"

	"lbaws/trace/strace"
)

// Memory is a program's memory.
type Memory interface {
	// ReadAt fills p with what stands at addr, and returns how many bytes of it could be
	// read. It does not keep p.
	ReadAt(p []byte, addr uint64) int
}

// The architectures that the package knows have the least significant byte first.
var order = binary.LittleEndian

// peek reads n bytes, at most as many as the call's scratch has, where they stay until the
// next bytes are read. It reports false if they cannot be read.
func (c *Call) peek(addr, n uint64) ([]byte, bool) {
	p := c.scratch[:n:n]
	if n > 0 && c.memory.ReadAt(p, c.place(addr)) != len(p) {
		return nil, false
	}
	return p, true
}

// fetch reads n bytes as peek does. As with strace there is nothing to show of them if the
// pointer is NULL, they cannot be read, or the call has failed: then it appends the pointer.
func (c *Call) fetch(addr, n uint64) ([]byte, bool) {
	if addr != 0 && !c.failed() {
		if p, ok := c.peek(addr, n); ok {
			return p, true
		}
	}
	c.pointer(addr)
	return nil, false
}

// place is where a pointer points to. That of a 32-bit program does not pass 4 GiB.
func (c *Call) place(addr uint64) uint64 {
	if c.wide {
		return addr
	}
	return uint64(uint32(addr))
}

// isReadable reports whether n bytes can be read.
func (c *Call) isReadable(addr, n uint64) bool {
	for n > 0 {
		part := min(n, uint64(len(c.scratch)))
		if _, ok := c.peek(addr, part); !ok {
			return false
		}
		addr, n = addr+part, n-part
	}
	return true
}

// word is the number of bytes of a pointer, a long and a size_t.
func (c *Call) word() uint64 {
	if c.wide {
		return 8
	}
	return 4
}

// long is the word that p begins with.
func (c *Call) long(p []byte) uint64 {
	if c.wide {
		return order.Uint64(p)
	}
	return uint64(order.Uint32(p))
}

// buffer appends what is in a buffer of size bytes.
func (c *Call) buffer(addr, size uint64) {
	if addr == 0 {
		c.text("NULL")
		return
	}
	// One byte more than is shown tells that there are more.
	n := int(min(size, uint64(c.limit)+1))
	raw := c.behind(n)
	if n > 0 && c.memory.ReadAt(raw, c.place(addr)) != n {
		c.pointer(addr)
		return
	}
	c.b = strace.AppendQuoted(c.b, raw, c.limit)
}

// behind returns n bytes in the room behind the text, so far behind that it does not reach
// them when they are appended to it with escapes, which take up to four characters a byte.
func (c *Call) behind(n int) []byte {
	const quotes = 8 // and the dots
	start := len(c.b) + 4*n + quotes
	c.b = slices.Grow(c.b, 5*n+quotes)
	return c.b[start : start+n : start+n]
}

// str appends a text that ends with a zero, as much of it as a buffer.
func (c *Call) str(addr uint64) {
	if addr == 0 {
		c.text("NULL")
		return
	}
	text, ended, ok := c.readText(addr, c.limit+1)
	if !ok {
		c.pointer(addr)
		return
	}
	if ended {
		c.b = strace.AppendQuoted(c.b, text, len(text))
		return
	}
	c.b = strace.AppendQuoted(c.b, text[:c.limit], c.limit)
	c.text("...")
}

// longestPath is how many bytes of a path are shown.
const longestPath = 4095

// path appends the path of a file: unlike a buffer it is not cut off at the limit.
func (c *Call) path(addr uint64) {
	if addr == 0 {
		c.text("NULL")
		return
	}
	text, ended, ok := c.readText(addr, longestPath+1)
	switch {
	case !ok:
		c.pointer(addr)
	case ended:
		c.b = strace.AppendQuoted(c.b, text, len(text))
	default:
		c.b = strace.AppendQuoted(c.b, text[:longestPath], longestPath)
		c.text("...")
	}
}

// readText reads a text that ends with a zero, at most n bytes of it, to the room behind the
// text that is being appended. It reports whether the zero was among them, and whether all
// up to it could be read.
func (c *Call) readText(addr uint64, n int) (text []byte, ended, ok bool) {
	const page = 256 // no more is read at a time, for the text may be the last of its page
	raw := c.behind(min(n, page))
	got := 0
	for got < n {
		if got == len(raw) {
			old := raw
			raw = c.behind(min(n, 4*len(raw)))
			copy(raw, old) // it is farther behind
		}
		from := c.place(addr + uint64(got))
		part := raw[got:min(len(raw), got+int(page-from%page))]
		if c.memory.ReadAt(part, from) != len(part) {
			return nil, false, false
		}
		if end := bytes.IndexByte(part, 0); end >= 0 {
			return raw[:got+end], true, true
		}
		got += len(part)
	}
	return raw[:got], false, true
}
