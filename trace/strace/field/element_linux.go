package field

import "math/bits"

// UpTo appends as many fields of a struct of ints as the kernel has filled in, and of the
// last one only the bytes, if it is cut off.
func (w *Writer) UpTo(addr uint64, length int32, names ...string) {
	p, ok := w.Fetch(addr, uint64(min(int(length), 4*len(names))))
	if !ok {
		return
	}
	for i := 0; len(p) > 0; i++ {
		w.Text(names[i])
		if len(p) < 4 {
			w.HexBytes(p)
			break
		}
		number := Order.Uint32(p)
		isID := names[i] == ", uid=" || names[i] == ", gid=" // and -1 is none
		if isID && number != ^uint32(0) {
			w.Unsigned(uint64(number))
		} else {
			w.Decimal(int64(int32(number)))
		}
		p = p[4:]
	}
	w.Text("}")
}

// UnsignedElement appends an unsigned int of an array.
func (w *Writer) UnsignedElement(p []byte) bool {
	w.Unsigned(uint64(Order.Uint32(p)))
	return true
}

// DescriptorElement appends an int of an array.
func (w *Writer) DescriptorElement(p []byte) bool {
	w.Descriptor(uint64(Order.Uint32(p)))
	return true
}

// OctetElement appends a byte of an array.
func (w *Writer) OctetElement(p []byte) bool {
	w.Hex(uint64(p[0]))
	return true
}

// EachBit calls do for each bit that is set, until it returns false.
func (w *Writer) EachBit(addr, n uint64, do func(fd uint64) bool) {
	for from := uint64(0); from < n; from += 64 {
		p, ok := w.Peek(addr+from/8, min(8, (n-from+7)/8))
		if !ok {
			return
		}
		var octets [8]byte
		copy(octets[:], p)
		for set := Order.Uint64(octets[:]); set != 0; set &= set - 1 {
			fd := from + uint64(bits.TrailingZeros64(set))
			if fd >= n || !do(fd) {
				return
			}
		}
	}
}
