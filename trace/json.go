package trace

import (
	"strconv"
	"time"

	"lbaws/sys"
)

// JSON writes each call as one JSON object a line, when it has returned:
//
//	{"time":"2026-01-31T12:00:00.123456789Z","returned":"2026-01-31T12:00:00.123482112Z",
//	 "duration_ns":21432,"call":"read",
//	 "args":{"fd":4,"buf":"GET / HTTP/1.1\r\n","count":1024},
//	 "result":16,"errno":null,"strace":"read(4, \"GET / HTTP/1.1\\r\\n\", 1024) = 16"}
//
// A call that may wait for the peer has a line of its own when it begins, so
// that one sees what the program is waiting for: the same object, with null
// for whatever is not known yet, the duration and the result among it.
//
// With segments and with the kernel's sockets, each is an object of its own: see
// appendSegment and appendSocket.
//
// Objects stand in the order of the diagram's rows: a call that does not wait comes
// before the segments that it causes.
//
// time is when the call began, in UTC; duration_ns is how long the kernel took. A buffer is a string with one character
// for each byte, U+0000 to U+00FF. A missing address (the call failed) is null,
// and errno is the error's name. If threads have descriptors of their own, an object
// says which thread makes the call, and which program of which side that is.
type JSON struct {
	Limit   int // how many bytes of a buffer are shown
	Buffers int // how many bytes of it the arguments have, if that is more

	order order
	line  []byte // room for the strace line
}

// Append appends the objects of a moment, and of those whose turn has come with it.
func (j *JSON) Append(b []byte, m *Moment) []byte {
	moments := j.order.take(m)
	for i := range moments {
		b = j.appendMoment(b, &moments[i])
	}
	return b
}

// appendMoment appends the object of a moment, if it has one.
func (j *JSON) appendMoment(b []byte, m *Moment) []byte {
	switch m.What {
	case Began:
		if m.Event.Call.Waits {
			return j.appendEnter(b, m.Event)
		}
	case Returned:
		return j.appendReturn(b, m.Event)
	case Passed:
		return j.appendSegment(b, m.Segment)
	case Changed:
		return j.appendSocket(b, m.Change, m.Side)
	case Noted:
		return j.appendNote(b, m.At, m.Text)
	case Exited:
		return j.appendExit(b, m.At, m.Exit)
	case Captured:
		return j.appendMissing(b, m.At, "segments", m.Err)
	case NotAsked:
		return j.appendMissing(b, m.At, "sockets", m.Err)
	case Lost:
		return j.appendLost(b, m.At, m.Lost)
	}
	return b
}

func (j *JSON) appendEnter(b []byte, e *Event) []byte {
	b = appendTime(b, e.Begin)
	b = append(b, `,"returned":null,"duration_ns":null`...)
	b = j.appendCall(b, e, false)
	b = append(b, `,"result":null,"errno":null`...)
	strace := Strace{Limit: j.Limit}
	j.line = strace.appendBegin(j.line[:0], e)
	return appendStraceLine(b, j.line)
}

func (j *JSON) appendReturn(b []byte, e *Event) []byte {
	b = appendTime(b, e.Begin)
	b = append(b, `,"returned":`...)
	b = appendTimestamp(b, e.Return)
	b = append(b, `,"duration_ns":`...)
	if e.Took < 0 {
		b = append(b, "null"...)
	} else {
		b = strconv.AppendInt(b, e.Took.Nanoseconds(), 10)
	}
	b = j.appendCall(b, e, true)
	b = append(b, `,"result":`...)
	b = strconv.AppendInt(b, int64(e.Result), 10)
	b = append(b, `,"errno":`...)
	if e.Errno == 0 {
		b = append(b, "null"...)
	} else {
		b = append(b, '"')
		b = append(b, sys.ErrnoName(e.Errno)...)
		b = append(b, '"')
	}
	strace := Strace{Limit: j.Limit}
	j.line = strace.appendBegin(j.line[:0], e)
	j.line = strace.appendRest(j.line, e, len(j.line))
	return appendStraceLine(b, j.line)
}

func appendStraceLine(b, line []byte) []byte {
	b = append(b, `,"strace":`...)
	b = appendJSONBytes(b, line, len(line))
	return append(b, "}\n"...)
}

// appendNote appends an object for what was done between the calls:
//
//	{"time":"…","note":"the network holds what is sent from now on"}
func (j *JSON) appendNote(b []byte, at time.Time, text string) []byte {
	b = append(appendTime(b, at), `,"note":`...)
	return append(appendJSONBytes(b, []byte(text), len(text)), "}\n"...)
}

// appendExit appends an object that says that a program ends here: "killed":true, or how
// strace has said it, as in "exit":"exited with 0".
func (j *JSON) appendExit(b []byte, at time.Time, e *Exit) []byte {
	b = appendTime(b, at)
	if e.How == "" {
		b = append(b, `,"killed":true`...)
	} else {
		b = append(b, `,"exit":`...)
		b = appendJSONBytes(b, []byte(e.How), len(e.How))
		b = append(b, `,"lives":`...)
		b = strconv.AppendBool(b, e.Lives)
		b = append(b, `,"sockets":[`...)
		for i, socket := range e.Sockets {
			if i > 0 {
				b = append(b, ',')
			}
			b = strconv.AppendInt(b, int64(socket), 10)
		}
		b = append(b, ']')
	}
	return append(appendCaller(b, e.Caller), "}\n"...)
}

// appendCaller appends who makes a call, if threads have descriptors of their own.
func appendCaller(b []byte, caller Caller) []byte {
	if caller.Thread == 0 {
		return b
	}
	b = append(b, `,"side":"`...)
	b = append(b, caller.Side.String()...)
	b = append(b, `","program":`...)
	b = strconv.AppendInt(b, int64(caller.Program+1), 10)
	b = append(b, `,"thread":`...)
	return strconv.AppendInt(b, int64(caller.Thread), 10)
}

// appendCall appends who makes a call, its name and its arguments, with null for
// those that the kernel fills in if the call has not returned.
func (j *JSON) appendCall(b []byte, e *Event, returned bool) []byte {
	b = appendCaller(b, e.Caller)
	b = append(b, `,"call":"`...)
	b = append(b, e.name()...)
	if e.Recorded != nil && e.Recorded.Name != e.Call.Name {
		b = append(b, `","does":"`...)
		b = append(b, e.Call.Name...)
	}
	b = append(b, '"')
	if e.isOthers() {
		b = e.Recorded.appendJSON(b, e.Shared)
	}
	b = append(b, `,"args":{`...)
	first := true
	for i, p := range e.Call.Params {
		if e.Recorded != nil && p.Kind.isSymbol() { // only strace's text has it
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(b, '"')
		b = append(b, p.Name...)
		b = append(b, `":`...)
		if p.Kind.filledIn() && !returned {
			b = append(b, "null"...)
		} else {
			b = jsonKinds[p.Kind](b, &e.Args[i], e, max(j.Limit, j.Buffers))
		}
	}
	return append(b, '}')
}

// jsonKinds has, for each kind of argument, what appends it.
var jsonKinds = [...]func(b []byte, a *Arg, e *Event, limit int) []byte{
	Decimal:     appendDecimal,
	Domain:      domains.appendJSON,
	SocketType:  socketTypes.appendJSON,
	Protocol:    protocols.appendJSON,
	Level:       levels.appendJSON,
	Option:      appendOptionJSON,
	IntPointer:  appendDecimal,
	How:         directions.appendJSON,
	Duration:    appendDecimal,
	Null:        appendNullJSON,
	Outgoing:    appendOutgoingJSON,
	Address:     appendAddressJSON,
	Incoming:    appendIncomingJSON,
	PeerAddress: appendAddressJSON,
	AddressRoom: appendAddressRoomJSON,
}

func (n names) appendJSON(b []byte, a *Arg, e *Event, limit int) []byte {
	b = append(b, '"')
	b = n.append(b, a, e, limit)
	return append(b, '"')
}

func appendOptionJSON(b []byte, a *Arg, e *Event, limit int) []byte {
	b = append(b, '"')
	b = AppendOption(b, a, e, limit)
	return append(b, '"')
}

func appendNullJSON(b []byte, _ *Arg, _ *Event, _ int) []byte {
	return append(b, "null"...)
}

func appendOutgoingJSON(b []byte, a *Arg, _ *Event, limit int) []byte {
	return appendJSONBytes(b, a.Data, limit)
}

func appendIncomingJSON(b []byte, a *Arg, e *Event, limit int) []byte {
	if e.failed() {
		return append(b, "null"...)
	}
	return appendJSONBytes(b, e.received(), limit)
}

func appendAddressJSON(b []byte, a *Arg, _ *Event, _ int) []byte {
	addr := a.Addr.AddrPort()
	if !addr.IsValid() {
		return append(b, "null"...)
	}
	b = append(b, '"')
	b = addr.AppendTo(b)
	return append(b, '"')
}

// appendAddressRoomJSON appends the length that the kernel wrote.
func appendAddressRoomJSON(b []byte, a *Arg, _ *Event, _ int) []byte {
	return strconv.AppendInt(b, int64(a.Addr.Len()), 10)
}
