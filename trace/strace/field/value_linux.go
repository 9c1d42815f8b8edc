package field

import (
	"strconv"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/trace/strace/symbol"
)

// The methods here append a value each, as strace spells it.

// Text appends a text as it is.
func (w *Writer) Text(s string) { w.B = append(w.B, s...) }

// Next appends what stands between two values.
func (w *Writer) Next() { w.B = append(w.B, ", "...) }

// Decimal appends a decimal number.
func (w *Writer) Decimal(n int64) { w.B = strconv.AppendInt(w.B, n, 10) }

// Unsigned appends a decimal number that is not negative.
func (w *Writer) Unsigned(n uint64) { w.B = strconv.AppendUint(w.B, n, 10) }

// Integer appends an argument that the kernel takes for an int of C.
func (w *Writer) Integer(arg uint64) { w.Decimal(int64(int32(arg))) }

// Descriptor appends a file descriptor, which the kernel takes for an int.
func (w *Writer) Descriptor(arg uint64) { w.Integer(arg) }

// Hex appends a hexadecimal number; zero is 0.
func (w *Writer) Hex(n uint64) {
	if n != 0 {
		w.Text("0x")
	}
	w.B = strconv.AppendUint(w.B, n, 16)
}

// Pointer appends a place in memory.
func (w *Writer) Pointer(addr uint64) {
	if addr == 0 {
		w.Text("NULL")
		return
	}
	w.Hex(addr)
}

// Comment appends a remark as C has it.
func (w *Writer) Comment(s string) {
	w.Text(" /* ")
	w.Text(s)
	w.Text(" */")
}

// Octal appends a file's mode.
func (w *Writer) Octal(mode uint64) {
	w.Text("0000"[:max(1, 3-len(strconv.FormatUint(mode, 8)))])
	w.B = strconv.AppendUint(w.B, mode, 8)
}

// Symbol appends the name of a number, or the number and what names of its kind begin with:
// "0x63 /* AF_??? */". Of several tables the first that has a name for it counts.
func (w *Writer) Symbol(value uint64, unknown string, tables ...symbol.Table) {
	for _, table := range tables {
		if name := table.Of(value); name != "" {
			w.Text(name)
			return
		}
	}
	w.Hex(value)
	if unknown != "" {
		w.Comment(unknown)
	}
}

// Flags appends the names of the bits that are set: "MSG_PEEK|MSG_DONTWAIT", "0", or
// "0x80000 /* POLL??? */".
func (w *Writer) Flags(bits uint64, unknown string, tables ...symbol.Table) {
	if bits == 0 {
		w.Text("0")
		return
	}
	rest, found := w.bits(bits, '|', false, tables...)
	switch {
	case !found:
		w.Hex(bits)
		w.Comment(unknown)
	case rest != 0:
		w.Text("|")
		w.Hex(rest)
	}
}

// bits appends the names of the bits that are set, with a separator between them, and before
// the first one, too, if there is something before it. It returns the bits that have no name.
func (w *Writer) bits(bits uint64, separator byte, follows bool, tables ...symbol.Table) (rest uint64, found bool) {
	for _, table := range tables {
		for _, s := range table {
			if s.Value == 0 || bits&s.Value != s.Value {
				continue
			}
			if follows || found {
				w.B = append(w.B, separator)
			}
			w.Text(s.Name)
			bits &^= s.Value
			found = true
		}
	}
	return bits, found
}

// Array appends n elements of the given size, each by the function, which is given the
// element and reports false if it has appended that there are more. As with strace there are
// no more than the limit, and "... /* 0x7f… */" stands where memory cannot be read; if the
// first cannot, the pointer.
func (w *Writer) Array(addr, n, size uint64, element func(p []byte) bool) {
	w.ArrayOf(addr, n, size, w.Failed, element)
}

// ArrayOf is Array, for a call that has failed or not.
func (w *Writer) ArrayOf(addr, n, size uint64, failed bool, element func(p []byte) bool) {
	end := addr + n*size
	switch {
	case addr == 0:
		w.Text("NULL")
		return
	case n == 0:
		w.Text("[]")
		return
	case end <= addr || n*size/size != n:
		w.Pointer(addr)
		return
	}
	for i := uint64(0); i < n; i++ {
		if i > 0 {
			w.Next()
		}
		at := addr + i*size
		p, ok := w.Peek(at, size)
		switch {
		case (!ok || failed) && i == 0:
			w.Pointer(addr)
			return
		case !ok:
			w.Text("...")
			w.CommentPointer(at)
			w.Text("]")
			return
		case i == 0:
			w.Text("[")
		}
		if i >= uint64(w.Limit) {
			w.Text("...")
			break
		}
		if !element(p) {
			break
		}
	}
	w.Text("]")
}

// CommentPointer appends a place in memory as a remark.
func (w *Writer) CommentPointer(addr uint64) {
	w.Text(" /* ")
	w.Pointer(addr)
	w.Text(" */")
}

// IntAt appends the int that a pointer points to.
func (w *Writer) IntAt(addr uint64) {
	if p, ok := w.Fetch(addr, 4); ok {
		w.Text("[")
		w.Decimal(int64(int32(Order.Uint32(p))))
		w.Text("]")
	}
}

// LongAt appends an unsigned long.
func (w *Writer) LongAt(addr uint64) bool {
	p, ok := w.Fetch(addr, w.Word())
	if ok {
		w.Text("[")
		w.Unsigned(w.LongIn(p))
		w.Text("]")
	}
	return ok
}

// AuxiliaryFlags appends flags as strace does behind a result, where those without a name
// have no remark. The separator stands before the first one, too, if something follows.
func (w *Writer) AuxiliaryFlags(bits uint64, separator byte, follows bool, tables ...symbol.Table) {
	rest, found := w.bits(bits, separator, follows, tables...)
	if rest == 0 {
		return
	}
	if follows || found {
		w.B = append(w.B, separator)
	}
	w.Hex(rest)
}

// ErrorIn appends what SO_ERROR tells.
func (w *Writer) ErrorIn(p []byte) {
	errno := Order.Uint32(p)
	w.Text("[")
	if name := sys.ErrnoName(unix.Errno(errno)); name != "" {
		w.Text(name)
	} else {
		w.Unsigned(uint64(errno))
	}
	w.Text("]")
}
