package field

import (
	"bytes"
	"slices"

	"lbaws/trace/strace"
)

const longestPath = 4095 // as many bytes of a path are shown

// Peek reads n bytes, at most as many as the call's scratch has, where they stay until the
// Next bytes are read. It reports false if they cannot be read.
func (w *Writer) Peek(addr, n uint64) ([]byte, bool) {
	p := w.scratch[:n:n]
	if n > 0 && w.Memory.ReadAt(p, w.place(addr)) != len(p) {
		return nil, false
	}
	return p, true
}

// Fetch reads n bytes as peek does. As with strace there is nothing to show of them if the
// Pointer is NULL, they cannot be read, or the call has failed: then it appends the pointer.
func (w *Writer) Fetch(addr, n uint64) ([]byte, bool) {
	if addr != 0 && !w.Failed {
		if p, ok := w.Peek(addr, n); ok {
			return p, true
		}
	}
	w.Pointer(addr)
	return nil, false
}

// place is where a pointer points to. That of a 32-bit program does not pass 4 GiB.
func (w *Writer) place(addr uint64) uint64 {
	if w.Wide {
		return addr
	}
	return uint64(uint32(addr))
}

// IsReadable reports whether n bytes can be read.
func (w *Writer) IsReadable(addr, n uint64) bool {
	for n > 0 {
		part := min(n, uint64(len(w.scratch)))
		if _, ok := w.Peek(addr, part); !ok {
			return false
		}
		addr, n = addr+part, n-part
	}
	return true
}

// Word is the number of bytes of a pointer, a long and a size_t.
func (w *Writer) Word() uint64 {
	if w.Wide {
		return 8
	}
	return 4
}

// LongIn is the word that p begins with.
func (w *Writer) LongIn(p []byte) uint64 {
	if w.Wide {
		return Order.Uint64(p)
	}
	return uint64(Order.Uint32(p))
}

// Buffer appends what is in a buffer of size bytes.
func (w *Writer) Buffer(addr, size uint64) {
	if addr == 0 {
		w.Text("NULL")
		return
	}
	// One byte more than is shown tells that there are more.
	n := int(min(size, uint64(w.Limit)+1))
	const large = 1 << 16
	if n > large && !w.IsReadable(addr, uint64(n)) {
		w.Pointer(addr) // without memory for what a program only says that it has
		return
	}
	raw := w.behind(n)
	if n > 0 && w.Memory.ReadAt(raw, w.place(addr)) != n {
		w.Pointer(addr)
		return
	}
	w.B = strace.AppendQuoted(w.B, raw, w.Limit)
}

// behind returns n bytes in the room behind the text, so far behind that it does not reach
// them when they are appended to it with escapes, which take up to four characters a byte.
func (w *Writer) behind(n int) []byte {
	const quotes = 8 // and the dots
	start := len(w.B) + 4*n + quotes
	w.B = slices.Grow(w.B, 5*n+quotes)
	return w.B[start : start+n : start+n]
}

// String appends a text that ends with a zero, as much of it as a buffer.
func (w *Writer) String(addr uint64) {
	if addr == 0 {
		w.Text("NULL")
		return
	}
	text, ended, ok := w.readText(addr, w.Limit+1)
	if !ok {
		w.Pointer(addr)
		return
	}
	if ended {
		w.B = strace.AppendQuoted(w.B, text, len(text))
		return
	}
	w.B = strace.AppendQuoted(w.B, text[:w.Limit], w.Limit)
	w.Text("...")
}

// Path appends the path of a file: unlike a buffer it is not cut off at the limit.
func (w *Writer) Path(addr uint64) {
	if addr == 0 {
		w.Text("NULL")
		return
	}
	text, ended, ok := w.readText(addr, longestPath+1)
	switch {
	case !ok:
		w.Pointer(addr)
	case ended:
		w.B = strace.AppendQuoted(w.B, text, len(text))
	default:
		w.B = strace.AppendQuoted(w.B, text[:longestPath], longestPath)
		w.Text("...")
	}
}

// readText reads a text that ends with a zero, at most n bytes of it, to the room behind the
// Text that is being appended. It reports whether the zero was among them, and whether all
// up to it could be read.
func (w *Writer) readText(addr uint64, n int) (text []byte, ended, ok bool) {
	const page = 256 // no more is read at a time, for the text may be the last of its page
	raw := w.behind(min(n, page))
	got := 0
	for got < n {
		if got == len(raw) {
			old := raw
			raw = w.behind(min(n, 4*len(raw)))
			copy(raw, old) // it is farther behind
		}
		from := w.place(addr + uint64(got))
		part := raw[got:min(len(raw), got+int(page-from%page))]
		if w.Memory.ReadAt(part, from) != len(part) {
			return nil, false, false
		}
		if end := bytes.IndexByte(part, 0); end >= 0 {
			return raw[:got+end], true, true
		}
		got += len(part)
	}
	return raw[:got], false, true
}
