package field

// HexBuffer appends the bytes of a buffer as hexadecimal numbers.
func (w *Writer) HexBuffer(addr, size uint64) {
	p, ok := w.Fetch(addr, min(size, uint64(w.Limit), uint64(len(w.scratch))))
	if !ok {
		return
	}
	w.HexBytes(p)
	if uint64(len(p)) < size {
		w.Text("...")
	}
}

// HexBytes appends bytes as hexadecimal numbers: "\x01\x00".
func (w *Writer) HexBytes(p []byte) {
	const digits = "0123456789abcdef"
	w.Text("\"")
	for _, octet := range p {
		w.B = append(w.B, '\\', 'x', digits[octet>>4], digits[octet&15])
	}
	w.Text("\"")
}

// Octets appends bytes in quotes, all of them.
func (w *Writer) Octets(addr, size uint64) {
	limit := w.Limit
	w.Limit = int(size)
	w.Buffer(addr, size)
	w.Limit = limit
}

// NonzeroBytes appends what stands in a struct behind the fields that are known, unless all of
// it is zero. It reports whether there is something.
func (w *Writer) NonzeroBytes(separator string, addr, from, size uint64) bool {
	const page = 4096
	if size = min(size, page); from >= size {
		return false
	}
	if !w.IsReadable(addr+from, size-from) {
		w.Text(separator)
		w.Text("???")
		return true
	}
	if w.isZero(addr+from, size-from) {
		return false
	}
	w.Text(separator)
	w.Text("/* bytes ")
	w.Unsigned(from)
	w.Text("..")
	w.Unsigned(size - 1)
	w.Text(" */ ")
	w.HexBuffer(addr+from, size-from)
	return true
}

func (w *Writer) isZero(addr, n uint64) bool {
	for ; n > 0; addr, n = addr+1, n-1 {
		if p, ok := w.Peek(addr, 1); ok && p[0] != 0 {
			return false
		}
	}
	return true
}
