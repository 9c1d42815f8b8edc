package strace

import (
	"fmt"
	"strconv"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/trace/event"
)

// Writer writes each call as strace(1) does, character for character:
//
//	accept(3, {sa_family=AF_INET, sin_port=htons(52044), sin_addr=inet_addr("127.0.0.1")}, [112 => 16]) = 4
//
// As with strace, the arguments that the program gives are written when the
// call begins, and the rest when it returns. A call that another thread makes
// in the meantime cuts the line in two, as strace -f cuts it: "<unfinished
// ...>" and "<... accept resumed>". If threads have descriptors of their own, each
// line begins with the number of its thread, as with strace -f -o.
type Writer struct {
	Limit int // how many bytes of a buffer are shown: strace's -s

	open   int // the number of the call whose line is the last of the output and not ended; 0 if there is none
	column int // how long that line is, in bytes
}

// resultColumn is where strace writes the equals sign, if the call leaves room:
// strace's -a.
const resultColumn = 40

// Append appends what strace writes at a moment.
func (s *Writer) Append(b []byte, m *event.Moment) []byte {
	switch m.What {
	case event.Began:
		return s.began(b, m.Event)
	case event.Returned:
		return s.returned(b, m.Event)
	case event.Exited:
		return s.exited(b, m.Exit)
	case event.Ended: // a call that has not returned never will
		return s.appendUnfinished(b)
	}
	return b
}

// began appends the call's name and the arguments that it was given.
func (s *Writer) began(b []byte, e *event.Event) []byte {
	b = s.appendUnfinished(b)
	start := len(b)
	b = appendThread(b, e.ThreadID())
	b = s.AppendBegin(b, e)
	s.open, s.column = e.Number, len(b)-start
	return b
}

// returned appends the rest of the call's line.
func (s *Writer) returned(b []byte, e *event.Event) []byte {
	if s.open != e.Number {
		b = s.appendUnfinished(b)
		start := len(b)
		b = appendThread(b, e.ThreadID())
		b = fmt.Appendf(b, "<... %s resumed>", e.Name())
		s.column = len(b) - start
	}
	b = s.AppendRest(b, e, s.column)
	s.open = 0
	return append(b, '\n')
}

// exited appends what strace writes of a thread that ends.
func (s *Writer) exited(b []byte, e *event.Exit) []byte {
	b = s.appendUnfinished(b)
	b = appendThread(b, e.Thread)
	how := e.How
	if how == "" {
		how = "exited with 0"
	}
	return fmt.Appendf(b, "+++ %s +++\n", how)
}

// appendThread appends who makes a call, as strace -f -o does.
func appendThread(b []byte, thread int) []byte {
	if thread == 0 {
		return b
	}
	const width = 5
	begin := len(b)
	b = strconv.AppendInt(b, int64(thread), 10)
	for len(b)-begin < width {
		b = append(b, ' ')
	}
	return append(b, ' ')
}

// appendUnfinished ends the line of a call that has not returned.
func (s *Writer) appendUnfinished(b []byte) []byte {
	if s.open == 0 {
		return b
	}
	s.open = 0
	return append(b, " <unfinished ...>\n"...)
}

// AppendBegin appends the part of the line that is known when a call begins.
func (s *Writer) AppendBegin(b []byte, e *event.Event) []byte {
	b = append(append(b, e.Name()...), '(')
	if e.Recorded != nil {
		return append(b, e.Recorded.Begin...)
	}
	return s.appendArgs(b, e, 0, e.Call.AtEntry())
}

// AppendRest appends the part that is known when it returns, to a line of
// which column bytes are written. They need not be in b any more.
func (s *Writer) AppendRest(b []byte, e *event.Event, column int) []byte {
	start := len(b) - column
	if e.Recorded != nil {
		b = append(b, e.Recorded.Rest...)
	} else {
		b = s.appendArgs(b, e, e.Call.AtEntry(), len(e.Call.Params))
	}
	b = append(b, ") "...)
	for len(b)-start < resultColumn {
		b = append(b, ' ')
	}
	b = append(b, "= "...)
	return AppendResult(b, e)
}

// AppendResult appends what the call returned: a number, or -1 with the error's
// name and message.
func AppendResult(b []byte, e *event.Event) []byte {
	if e.Recorded != nil {
		return append(b, e.Recorded.Result...)
	}
	if e.Errno == 0 {
		return strconv.AppendInt(b, int64(e.Result), 10)
	}
	return AppendError(b, e.Errno)
}

// AppendError appends what strace writes of a call that has failed.
func AppendError(b []byte, errno unix.Errno) []byte {
	name := sys.ErrnoName(errno)
	if name == "" {
		b = append(b, "-1 (errno "...)
		return append(strconv.AppendUint(b, uint64(errno), 10), ')')
	}
	message := errno.Error()
	b = append(append(b, "-1 "...), name...)
	b = append(append(b, " ("...), message...)
	if first := &b[len(b)-len(message)]; *first >= 'a' && *first <= 'z' {
		*first -= 'a' - 'A' // the C library's message begins with a capital letter
	}
	return append(b, ')')
}

// appendArgs appends the arguments from number from on and below number to,
// with the comma that stands after each but the call's last.
func (s *Writer) appendArgs(b []byte, e *event.Event, from, to int) []byte {
	for i := from; i < to; i++ {
		b = AppendArg(b, e, &e.Args[i], e.Call.Params[i].Kind, s.Limit)
		if i+1 < len(e.Call.Params) {
			b = append(b, ", "...)
		}
	}
	return b
}

// AppendArg appends an argument of a call, with at most limit bytes of a buffer. If the call
// has failed, there is nothing to show of what the kernel was to fill in but where it is.
func AppendArg(b []byte, e *event.Event, a *event.Arg, kind event.Kind, limit int) []byte {
	switch kind {
	case event.Decimal:
		return strconv.AppendInt(b, int64(a.Int), 10)
	case event.IntPointer:
		return append(strconv.AppendInt(append(b, '['), int64(a.Int), 10), ']')
	case event.Duration: // a struct timespec
		d := time.Duration(a.Int)
		return fmt.Appendf(b, "{tv_sec=%d, tv_nsec=%d}", d/time.Second, d%time.Second)
	case event.Null:
		return append(b, "NULL"...)
	case event.Outgoing:
		return AppendQuoted(b, a.Data, limit)
	case event.Incoming:
		if e.Failed() {
			return appendPointer(b, uintptr(unsafe.Pointer(unsafe.SliceData(a.Data))))
		}
		return AppendQuoted(b, e.Received(), limit)
	case event.PeerAddress:
		if e.Failed() {
			return appendPointer(b, a.Addr.Pointer())
		}
		return appendAddress(b, a.Addr, e.Args[0].Int)
	case event.Address:
		return appendAddress(b, a.Addr, e.Args[0].Int)
	case event.AddressRoom: // a value-result argument: the length that the program offered, and the one that the kernel used
		b = strconv.AppendInt(append(b, '['), sys.SockaddrRoom, 10)
		if !e.Failed() && a.Addr.Len() != sys.SockaddrRoom {
			b = strconv.AppendInt(append(b, " => "...), int64(a.Addr.Len()), 10)
		}
		return append(b, ']')
	}
	if name := nameOf(kind, e, a); name != "" {
		return append(b, name...)
	}
	return strconv.AppendInt(b, int64(a.Int), 10)
}

// appendPointer appends a place in memory; "?" where it is not known.
func appendPointer(b []byte, p uintptr) []byte {
	if p == 0 {
		return append(b, '?')
	}
	b = append(b, "0x"...)
	return strconv.AppendUint(b, uint64(p), 16)
}
