package figure

import (
	"bytes"

	"lbaws/trace/event"
	"lbaws/trace/strace"
)

// addRecorded adds strace's text of arguments, but for what a diagram leaves out: an
// address is written as address and port, without its length; what a descriptor leads
// to is left out, and so is where in memory something is.
func (t *Text) addRecorded(e *event.Event, args []byte) {
	for len(args) > 0 {
		switch {
		case args[0] == '"':
			args = t.addString(e, args)
			continue
		case bytes.HasPrefix(args, []byte("{sa_family=")):
			end := strace.AddressEnd(args)
			if addr, ok := strace.ParseSockaddr(args[:end]); ok {
				*t.end() = addr.AppendTo(*t.end())
				args = withoutLength(args[end:])
				continue
			}
		case args[0] == '<' && strace.IsNote(args):
			args = strace.AfterNote(args)
			continue
		case bytes.HasPrefix(args, []byte("0x")) && e.Failed() && !e.Return.IsZero():
			n := 2
			for n < len(args) && strace.IsHex(args[n]) {
				n++
			}
			t.add("…")
			args = args[n:]
			if e.Call.Does == event.Accepts || e.Call.Does == event.Asks {
				args = withoutLength(args)
			}
			continue
		}
		*t.end() = append(*t.end(), args[0])
		args = args[1:]
	}
}

// addString adds a string of C. The first one is a buffer, of which less may be shown.
func (t *Text) addString(e *event.Event, args []byte) []byte {
	if t.Quoted {
		end := strace.StringEnd(args, 0) + 1
		*t.end() = append(*t.end(), args[:min(end, len(args))]...)
		return args[min(end, len(args)):]
	}
	data, rest, more := strace.Unquote(t.room[:0], args)
	t.room, t.Quoted, t.Buffer, t.More = data, true, data, more
	if e.Recorded.Whole && len(e.Args[1].Data) > len(data) {
		t.Buffer, t.More = e.Args[1].Data, e.Cut()
	}
	return rest
}

// withoutLength takes the length of an address off, with the comma before it.
func withoutLength(args []byte) []byte {
	length, found := bytes.CutPrefix(args, []byte(", "))
	if !found {
		return args
	}
	n := 0
	for n < len(length) && bytes.IndexByte([]byte("0123456789[]=> "), length[n]) >= 0 {
		n++
	}
	if n == 0 {
		return args
	}
	return length[n:]
}
