// Package jsonl writes moments as JSON objects, one a line, and reads them again.
package jsonl

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"lbaws/sys"
	"lbaws/trace/event"
	"lbaws/trace/order"
	"lbaws/trace/strace"
)

// Writer writes each call as one JSON object a line, when it has returned:
//
//	{"time":"2026-01-31T12:00:00.123456789Z","returned":"2026-01-31T12:00:00.123482112Z",
//	 "duration_ns":21432,"call":"read",
//	 "args":{"fd":4,"buf":"GET / HTTP/1.1\r\n","count":1024},
//	 "result":16,"errno":null,"strace":"read(4, \"GET / HTTP/1.1\\r\\n\", 1024) = 16"}
//
// A call that may wait for the peer has a line when it begins, too, so that one sees what
// the program waits for: with null for what is not known yet.
//
// Object says which other objects there are. They stand in the order of the diagram's
// rows: a call that does not wait comes before the segments that it causes.
type Writer struct {
	Limit   int // how many bytes of a buffer are shown
	Buffers int // how many bytes of it the arguments have, if that is more

	order   order.Order
	encoder *json.Encoder // writes to text
	text    bytes.Buffer
	line    []byte // room for a strace line
}

// Append appends the objects of a moment, and of those whose turn has come with it.
func (j *Writer) Append(b []byte, m *event.Moment) []byte {
	moments := j.order.Take(m)
	for i := range moments {
		b = j.AppendMoment(b, &moments[i])
	}
	return b
}

// AppendMoment appends the object of a moment, if it has one.
func (j *Writer) AppendMoment(b []byte, m *event.Moment) []byte {
	switch {
	case m.What == event.Returned:
		return j.appendCall(b, m.Event, true)
	case m.What == event.Began && m.Event.Call.Waits:
		return j.appendCall(b, m.Event, false)
	case m.What == event.Began:
		return b
	}
	return j.appendOther(b, m)
}

// appendOther appends the object of a moment that is about no call.
func (j *Writer) appendOther(b []byte, m *event.Moment) []byte {
	o := Object{Time: &Timestamp{m.At}}
	switch m.What {
	case event.Passed:
		o.PassedObject = passedObject(m.Segment, j.Limit)
	case event.Changed:
		o.Socket = socketObject(m.Change, m.Side)
	case event.Noted:
		o.Note = Text(m.Text)
	case event.Exited:
		o.setExit(m.Exit)
	case event.Between:
		o.setProxy(m.Proxy)
	case event.Captured:
		o.Missing = "segments"
	case event.NotAsked:
		o.Missing = "sockets"
	case event.Lost:
		o.Missing, o.Lost, o.Why = "segments", m.Lost, Text(fmt.Sprintf("%d came faster than they were read", m.Lost))
	default:
		return b
	}
	if m.Err != nil {
		o.Why = Text(m.Err.Error())
	} else if m.What == event.Captured {
		return b
	}
	return j.append(b, &o)
}

// append appends an object as a line.
func (j *Writer) append(b []byte, o *Object) []byte {
	if j.encoder == nil {
		j.encoder = json.NewEncoder(&j.text)
		j.encoder.SetEscapeHTML(false)
	}
	j.text.Reset()
	if err := j.encoder.Encode(o); err != nil {
		panic(err) // each value in an object has a text
	}
	return append(b, j.text.Bytes()...)
}

// appendCall appends the CallObject of a call that begins, or has returned. A server may
// make many: it is written without the encoder, and its arguments follow from the table of
// calls.
func (j *Writer) appendCall(b []byte, e *event.Event, returned bool) []byte {
	b = appendTimestamp(append(b, `{"time":`...), e.Begin)
	b = append(b, `,"returned":`...)
	if returned {
		b = appendTimestamp(b, e.Return)
	} else {
		b = append(b, "null"...)
	}
	b = appendNumber(append(b, `,"duration_ns":`...), e.Took.Nanoseconds(), returned && e.Took >= 0)
	b = appendCaller(b, e.Caller, e.IsOthers())
	b = append(append(append(b, `,"call":"`...), e.Name()...), '"')
	if e.Recorded != nil && e.Recorded.Name != e.Call.Name {
		b = append(append(append(b, `,"does":"`...), e.Call.Name...), '"')
	}
	if e.IsOthers() {
		r := e.Recorded
		recorded, _ := json.Marshal(RecordedObject{r.Thread, r.Socket, r.Made, r.Port, e.Shared, r.Resets, r.AtOnce, // these always have a text
			r.Worker, r.Meets, r.NoSocket, r.Unread, r.Signal, r.Handled, r.Again, Address{r.Peer}, Address{r.Local}})
		b = append(append(b, `,"recorded":`...), recorded...)
	}
	if copied := (CopyObject{e.Of, e.MadeAs, e.Shared}); copied != (CopyObject{}) && !e.IsOthers() {
		object, _ := json.Marshal(copied)
		b = append(append(b, ','), object[1:len(object)-1]...)
	}
	b = append(j.appendArgs(append(b, `,"args":{`...), e, returned), '}')
	b = appendNumber(append(b, `,"result":`...), int64(e.Result), returned)
	if returned && e.Errno != 0 {
		b = append(append(append(b, `,"errno":"`...), sys.ErrnoName(e.Errno)...), '"')
	} else {
		b = append(b, `,"errno":null`...)
	}
	if e.InTheWay != "" {
		b = appendString(append(b, `,"in_the_way":`...), []byte(e.InTheWay))
	}
	strace := strace.Writer{Limit: j.Limit}
	if j.line = strace.AppendBegin(j.line[:0], e); returned {
		j.line = strace.AppendRest(j.line, e, len(j.line))
	}
	return append(appendString(append(b, `,"strace":`...), j.line), "}\n"...)
}

// appendNumber appends a number, or null if it is not known.
func appendNumber(b []byte, n int64, known bool) []byte {
	if !known {
		return append(b, "null"...)
	}
	return strconv.AppendInt(b, n, 10)
}

// appendCaller appends what a CallerObject says.
func appendCaller(b []byte, c event.Caller, always bool) []byte {
	if c.Thread == 0 && !always {
		return b
	}
	b = append(append(append(b, `,"side":"`...), c.Side.String()...), `","program":`...)
	b = strconv.AppendInt(b, int64(c.Program+1), 10)
	if c.Thread > 0 {
		b = strconv.AppendInt(append(b, `,"thread":`...), int64(c.Thread), 10)
	}
	if c.Proxy > 0 {
		b = strconv.AppendInt(append(b, `,"between":`...), int64(c.Proxy), 10)
	}
	return b
}

// appendArgs appends a call's arguments, with null for those that the kernel fills in, if
// the call has not returned. Of a recording's calls, only strace's text has constants with
// names.
func (j *Writer) appendArgs(b []byte, e *event.Event, returned bool) []byte {
	first := true
	for i, p := range e.Call.Params {
		if e.Recorded != nil && p.Kind.IsSymbol() {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(append(append(b, '"'), p.Name...), `":`...)
		if p.Kind.FilledIn() && !returned {
			b = append(b, "null"...)
		} else {
			b = appendArg(b, &e.Args[i], p.Kind, e, max(j.Limit, j.Buffers))
		}
	}
	return b
}

// appendArg appends an argument, with at most limit bytes of a buffer.
func appendArg(b []byte, a *event.Arg, kind event.Kind, e *event.Event, limit int) []byte {
	switch {
	case kind.IsSymbol():
		return append(strace.AppendArg(append(b, '"'), e, a, kind, limit), '"')
	case kind == event.Outgoing:
		return appendString(b, a.Data[:min(len(a.Data), limit)])
	case kind == event.Incoming && !e.Failed():
		data := e.Received()
		return appendString(b, data[:min(len(data), limit)])
	case (kind == event.Address || kind == event.PeerAddress) && a.Addr.AddrPort().IsValid():
		return append(a.Addr.AddrPort().AppendTo(append(b, '"')), '"')
	case kind == event.AddressRoom: // the length that the kernel wrote
		return strconv.AppendInt(b, int64(a.Addr.Len()), 10)
	case kind == event.Decimal, kind == event.IntPointer, kind == event.Duration:
		return strconv.AppendInt(b, int64(a.Int), 10)
	}
	return append(b, "null"...)
}
