package field

// Time is a struct timespec, or with microseconds a struct timeval.
type Time struct {
	Addr uint64 // where it is

	seconds, part uint64
	ok            bool // it could be read
}

// What the second field of a time is called.
const Nanoseconds, Microseconds = "tv_nsec=", "tv_usec="

// ReadTime reads a time whose fields have the given number of bytes.
func (w *Writer) ReadTime(addr, field uint64) Time {
	t := Time{Addr: addr}
	if addr == 0 {
		return t
	}
	p, ok := w.Peek(addr, 2*field)
	switch {
	case !ok:
		return t
	case field == 4:
		t.seconds, t.part = uint64(int64(int32(Order.Uint32(p)))), uint64(Order.Uint32(p[4:]))
	default:
		t.seconds, t.part = Order.Uint64(p), Order.Uint64(p[8:])
	}
	t.ok = true
	return t
}

// Time appends a time, or the pointer if it could not be read.
func (w *Writer) Time(t Time, part string) {
	if !t.ok {
		w.Pointer(t.Addr)
		return
	}
	w.Text("{tv_sec=")
	w.Decimal(int64(t.seconds))
	w.Next()
	w.Text(part)
	w.Unsigned(t.part)
	w.Text("}")
}

// Times appends n times, as an array if they are several.
func (w *Writer) Times(addr, size, field, n uint64, part string) {
	if size < 2*field*n {
		w.Text("???")
		return
	}
	if n == 1 {
		w.Time(w.ReadTime(addr, field), part)
		return
	}
	separator := "["
	for i := range n {
		w.Text(separator)
		separator = ", "
		w.Time(w.ReadTime(addr+i*2*field, field), part)
	}
	w.Text("]")
}
