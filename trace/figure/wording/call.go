package wording

import (
	"bytes"
	"strconv"

	"golang.org/x/sys/unix"

	"lbaws/trace/event"
	"lbaws/trace/order"
	"lbaws/trace/strace"
)

// The text of a call is its own, as strace has it, but for an address: that is written as
// address and port, without its length.

// SetBegin makes t what is known of a call when it begins.
func (t *Text) SetBegin(e *event.Event) {
	t.Before = append(append(AppendCaller(t.Before[:0], e), e.Name()...), '(')
	if e.Recorded != nil {
		t.addRecorded(e, e.Recorded.Begin)
	} else {
		t.addArgs(e, 0, e.Call.AtEntry())
	}
	if allAtEntry(e) {
		t.Add(")")
	}
}

// allAtEntry reports whether all arguments are known when a call begins.
func allAtEntry(e *event.Event) bool {
	if e.Recorded != nil {
		return e.Recorded.All
	}
	return e.Call.AtEntry() == len(e.Call.Params)
}

// Beginning returns what is known of a call when it begins, in a line.
func Beginning(e *event.Event) string {
	const limit = 24
	var t Text
	alone := *e
	if alone.Program, alone.Proxy = 0, 0; e.Recorded != nil {
		recorded := *e.Recorded
		recorded.Worker, alone.Recorded = 0, &recorded
	}
	t.SetBegin(&alone)
	line := string(t.Append(nil, limit))
	if order.DrawnInTwo(e.Call) || !allAtEntry(e) {
		line += "…"
	}
	return line
}

// AddRest adds what is known of a call only when it has returned.
func (t *Text) AddRest(e *event.Event) {
	if !allAtEntry(e) {
		if e.Recorded != nil {
			t.addRecorded(e, e.Recorded.Rest)
		} else {
			t.addArgs(e, e.Call.AtEntry(), len(e.Call.Params))
		}
		t.Add(")")
	}
	before := len(*t.end())
	t.Add(" = ")
	t.addResult(e)
	if e.IsOthers() {
		t.Tail = len(")") + len(*t.end()) - before
	}
}

// addResult adds what a call has returned.
func (t *Text) addResult(e *event.Event) {
	end := t.end()
	switch {
	case e.FailsBySignal():
		*end = strace.AppendError(*end, unix.EINTR)
		return
	case e.IsMadeAgain():
		t.Add("? (it is made again)")
		return
	case e.NeverReturned():
		t.Add("?")
		return
	case e.Recorded != nil:
		t.addRecorded(e, e.Recorded.Result)
		return
	}
	*end = strace.AppendResult(*end, e)
}

// SetReturn makes t what a call has returned, for a row of its own. Where several threads make
// calls, it names the descriptor, too.
func (t *Text) SetReturn(e *event.Event, several bool) {
	t.Before = append(AppendCaller(t.Before[:0], e), "… "...)
	t.Before = append(t.Before, e.Name()...)
	if fd := e.Args[0].Int; several && fd >= 0 {
		t.Before = append(strconv.AppendInt(append(t.Before, '('), int64(fd), 10), ')')
	}
	t.Before = append(t.Before, " = "...)
	t.addResult(e)
	if e.Failed() {
		return
	}
	switch {
	case e.Call.Does == event.Accepts && e.Peer().IsValid():
		t.Add(", peer ")
		*t.end() = e.Peer().AppendTo(*t.end())
	case e.Call.Does == event.Reads, e.Peeks():
		t.Add(", ")
		t.Quoted, t.Buffer, t.More = true, e.Received(), e.Cut()
	}
	if e.Peeks() {
		t.Add(", MSG_PEEK")
	}
}

// AppendCaller appends which program makes a call, and which of its threads, if they are not
// the first.
func AppendCaller(b []byte, e *event.Event) []byte {
	b = AppendProgram(b, e.Caller.Number()-1)
	if e.Recorded == nil || e.Recorded.Worker == 0 {
		return b
	}
	return append(strconv.AppendInt(append(b, 't'), int64(e.Recorded.Worker+1), 10), ' ')
}

// AppendProgram appends which of its side's programs makes a call, if it is not the
// first.
func AppendProgram(b []byte, program int) []byte {
	if program == 0 {
		return b
	}
	return AppendNumber(b, program+1)
}

// AppendNumber appends the number of a program or of a connection.
func AppendNumber(b []byte, n int) []byte {
	return append(strconv.AppendInt(append(b, '#'), int64(n), 10), ' ')
}

// end is the end of the text so far.
func (t *Text) end() *[]byte {
	if t.Quoted {
		return &t.After
	}
	return &t.Before
}

func (t *Text) Add(s string) {
	end := t.end()
	*end = append(*end, s...)
}

// addArgs adds the arguments from number from on and below number to, with a
// comma after each but the call's last. The lengths of addresses are left out.
func (t *Text) addArgs(e *event.Event, from, to int) {
	params := e.Call.Params
	for i := from; i < to; i++ {
		kind := params[i].Kind
		if kind == event.AddressRoom || i > 0 && kind == event.Decimal && params[i-1].Kind == event.Address {
			continue
		}
		if i > from {
			t.Add(", ")
		}
		t.addArg(e, &e.Args[i], kind)
	}
	if to < len(params) {
		t.Add(", ")
	}
}

func (t *Text) addArg(e *event.Event, a *event.Arg, kind event.Kind) {
	end := t.end()
	switch {
	case e.Failed() && (kind.FilledIn() || kind == event.Address && !a.Addr.AddrPort().IsValid()): // strace shows where the room for it is
		t.Add("…")
	case kind == event.Outgoing:
		t.Quoted, t.Buffer = true, a.Data
	case kind == event.Incoming:
		t.Quoted, t.Buffer = true, e.Received()
	case kind == event.Address || kind == event.PeerAddress:
		*end = a.Addr.AddrPort().AppendTo(*end)
	default:
		*end = strace.AppendArg(*end, e, a, kind, 0)
	}
}

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
				args = strace.WithoutLength(args[end:])
				continue
			}
		case args[0] == '<' && strace.IsNote(args):
			args = strace.AfterNote(args)
			continue
		case bytes.HasPrefix(args, []byte("0x")) && e.Failed() && !e.Return.IsZero():
			t.Add("…")
			args = bytes.TrimLeft(args[len("0x"):], "0123456789abcdefABCDEF")
			if e.Call.Does == event.Accepts || e.Call.Does == event.Asks {
				args = strace.WithoutLength(args)
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
		end := min(strace.StringEnd(args, 0)+1, len(args))
		t.Add(string(args[:end]))
		return args[end:]
	}
	data, rest, more := strace.Unquote(t.room[:0], args)
	t.room, t.Quoted, t.Buffer, t.More = data, true, data, more
	if e.Recorded.Whole && len(e.Args[1].Data) > len(data) {
		t.Buffer, t.More = e.Args[1].Data, e.Cut()
	}
	return rest
}
