package figure

import (
	"strconv"

	"lbaws/trace/event"
	"lbaws/trace/order"
	"lbaws/trace/strace"
)

// The text of a call in the diagram. It is the call's own, as Strace has it,
// but an address is written as address and port, without its length.

// setCall makes t the text of a call that has returned.
func (t *Text) setCall(e *event.Event) {
	t.setBegin(e)
	t.addRest(e)
}

// setBegin makes t what is known of a call when it begins.
func (t *Text) setBegin(e *event.Event) {
	t.Before = appendProgram(t.Before[:0], e.Program)
	t.Before = append(t.Before, e.Name()...)
	t.Before = append(t.Before, '(')
	if e.Recorded != nil {
		t.addRecorded(e, e.Recorded.Begin)
		if e.Recorded.All {
			t.add(")")
		}
		return
	}
	t.addArgs(e, 0, e.Call.AtEntry())
	if e.Call.AtEntry() == len(e.Call.Params) {
		t.add(")")
	}
}

// Beginning returns what is known of a call when it begins, in a line.
func Beginning(e *event.Event) string {
	const limit = 24
	var t Text
	first := *e
	first.Program = 0
	t.setBegin(&first)
	line := string(t.Append(nil, limit))
	if order.DrawnInTwo(e.Call) || e.Call.AtEntry() < len(e.Call.Params) {
		line += "…"
	}
	return line
}

// addRest adds what is known of a call only when it has returned.
func (t *Text) addRest(e *event.Event) {
	if e.Recorded != nil {
		if !e.Recorded.All {
			t.addRecorded(e, e.Recorded.Rest)
			t.add(")")
		}
		before := len(*t.end())
		t.add(" = ")
		t.addRecorded(e, e.Recorded.Result)
		if t.Tail = len(*t.end()) - before + len(")"); !e.IsOthers() {
			t.Tail = 0
		}
		return
	}
	if e.Call.AtEntry() < len(e.Call.Params) {
		t.addArgs(e, e.Call.AtEntry(), len(e.Call.Params))
		t.add(")")
	}
	t.add(" = ")
	end := t.end()
	*end = strace.AppendResult(*end, e)
}

// setReturn makes t what a call has returned, for a row of its own.
func (t *Text) setReturn(e *event.Event) {
	t.Before = appendProgram(t.Before[:0], e.Program)
	t.Before = append(t.Before, "… "...)
	t.Before = append(t.Before, e.Name()...)
	t.Before = append(t.Before, " = "...)
	if e.Recorded != nil {
		t.addRecorded(e, e.Recorded.Result)
	} else {
		t.Before = strace.AppendResult(t.Before, e)
	}
	if e.Failed() {
		return
	}
	switch peer := e.Args[1].Addr; {
	case e.Call.Does == event.Accepts && peer.AddrPort().IsValid():
		t.add(", peer ")
		*t.end() = peer.AddrPort().AppendTo(*t.end())
	case e.Call.Does == event.Reads:
		t.add(", ")
		t.Quoted, t.Buffer, t.More = true, e.Received(), e.Cut()
	}
}

// appendProgram appends which of its side's programs makes a call, if it is not the
// first.
func appendProgram(b []byte, program int) []byte {
	if program == 0 {
		return b
	}
	return appendNumber(b, program+1)
}

// appendNumber appends the number of a program or of a connection.
func appendNumber(b []byte, n int) []byte {
	b = append(b, '#')
	b = strconv.AppendInt(b, int64(n), 10)
	return append(b, ' ')
}

// end is the end of the text so far.
func (t *Text) end() *[]byte {
	if t.Quoted {
		return &t.After
	}
	return &t.Before
}

func (t *Text) add(s string) {
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
			t.add(", ")
		}
		t.addArg(e, &e.Args[i], kind)
	}
	if to < len(params) {
		t.add(", ")
	}
}

func (t *Text) addArg(e *event.Event, a *event.Arg, kind event.Kind) {
	end := t.end()
	switch {
	case kind == event.Outgoing:
		t.Quoted, t.Buffer = true, a.Data
	case (kind == event.Incoming || kind == event.PeerAddress) && e.Failed(): // strace shows where the room for it is
		t.add("…")
	case kind == event.Incoming:
		t.Quoted, t.Buffer = true, e.Received()
	case kind == event.Address || kind == event.PeerAddress:
		addr := a.Addr.AddrPort()
		if e.Failed() && !addr.IsValid() {
			t.add("…")
			return
		}
		*end = addr.AppendTo(*end)
	default:
		*end = strace.Kinds[kind](*end, a, e, 0)
	}
}
