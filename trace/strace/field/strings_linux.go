package field

// Arguments appends the texts to which an array has pointers, up to a NULL.
func (w *Writer) Arguments(addr uint64) {
	if addr == 0 {
		w.Text("NULL")
		return
	}
	word := w.Word()
	for i := 0; ; i, addr = i+1, addr+word {
		p, ok := w.Peek(addr, word)
		switch {
		case !ok && i == 0:
			w.Pointer(addr)
			return
		case !ok:
			w.Text(", ...")
			w.CommentPointer(addr)
			w.Text("]")
			return
		case i == 0:
			w.Text("[")
		}
		text := w.LongIn(p)
		if text == 0 {
			break
		}
		if i > 0 {
			w.Next()
		}
		if i >= w.Limit {
			w.Text("...")
			break
		}
		w.String(text)
	}
	w.Text("]")
}

// Environment appends how many variables an environment has.
func (w *Writer) Environment(addr uint64) {
	w.Pointer(addr)
	if addr == 0 {
		return
	}
	word := w.Word()
	unterminated := ""
	const most = 1 << 20 // a program has no room for more
	n := uint64(0)
	for ; n < most; n++ {
		p, ok := w.Peek(addr+n*word, word)
		if !ok {
			if n == 0 {
				return
			}
			unterminated = ", unterminated"
			break
		}
		if w.LongIn(p) == 0 {
			break
		}
	}
	w.Text(" /* ")
	w.Unsigned(n)
	w.Text(" var")
	if n != 1 {
		w.Text("s")
	}
	w.Text(unterminated)
	w.Text(" */")
}
