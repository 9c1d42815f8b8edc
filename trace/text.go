package trace

import "strconv"

// The text of a call in the diagram. It is the call's own, as Strace has it,
// but an address is written as address and port, without its length.

// setCall makes t the text of a call that has returned.
func (t *text) setCall(e *Event) {
	t.setBegin(e)
	t.addRest(e)
}

// setBegin makes t what is known of a call when it begins.
func (t *text) setBegin(e *Event) {
	t.before = appendProgram(t.before[:0], e.Program)
	t.before = append(t.before, e.name()...)
	t.before = append(t.before, '(')
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
func Beginning(e *Event) string {
	const limit = 24
	var t text
	first := *e
	first.Program = 0
	t.setBegin(&first)
	line := string(t.append(nil, limit))
	if drawnInTwo(e.Call) || e.Call.AtEntry() < len(e.Call.Params) {
		line += "…"
	}
	return line
}

// addRest adds what is known of a call only when it has returned.
func (t *text) addRest(e *Event) {
	if e.Recorded != nil {
		if !e.Recorded.All {
			t.addRecorded(e, e.Recorded.Rest)
			t.add(")")
		}
		before := len(*t.end())
		t.add(" = ")
		t.addRecorded(e, e.Recorded.Result)
		if t.tail = len(*t.end()) - before + len(")"); !e.isOthers() {
			t.tail = 0
		}
		return
	}
	if e.Call.AtEntry() < len(e.Call.Params) {
		t.addArgs(e, e.Call.AtEntry(), len(e.Call.Params))
		t.add(")")
	}
	t.add(" = ")
	end := t.end()
	*end = appendResult(*end, e)
}

// setReturn makes t what a call has returned, for a row of its own.
func (t *text) setReturn(e *Event) {
	t.before = appendProgram(t.before[:0], e.Program)
	t.before = append(t.before, "… "...)
	t.before = append(t.before, e.name()...)
	t.before = append(t.before, " = "...)
	if e.Recorded != nil {
		t.addRecorded(e, e.Recorded.Result)
	} else {
		t.before = appendResult(t.before, e)
	}
	if e.failed() {
		return
	}
	switch peer := e.Args[1].Addr; {
	case e.Call.Does == Accepts && peer.AddrPort().IsValid():
		t.add(", peer ")
		*t.end() = peer.AddrPort().AppendTo(*t.end())
	case e.Call.Does == Reads:
		t.add(", ")
		t.quoted, t.buffer, t.more = true, e.received(), e.cut()
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
func (t *text) end() *[]byte {
	if t.quoted {
		return &t.after
	}
	return &t.before
}

func (t *text) add(s string) {
	end := t.end()
	*end = append(*end, s...)
}

// addArgs adds the arguments from number from on and below number to, with a
// comma after each but the call's last. The lengths of addresses are left out.
func (t *text) addArgs(e *Event, from, to int) {
	params := e.Call.Params
	for i := from; i < to; i++ {
		kind := params[i].Kind
		if kind == AddressRoom || i > 0 && kind == Decimal && params[i-1].Kind == Address {
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

func (t *text) addArg(e *Event, a *Arg, kind Kind) {
	end := t.end()
	switch {
	case kind == Outgoing:
		t.quoted, t.buffer = true, a.Data
	case (kind == Incoming || kind == PeerAddress) && e.failed(): // strace shows where the room for it is
		t.add("…")
	case kind == Incoming:
		t.quoted, t.buffer = true, e.received()
	case kind == Address || kind == PeerAddress:
		addr := a.Addr.AddrPort()
		if e.failed() && !addr.IsValid() {
			t.add("…")
			return
		}
		*end = addr.AppendTo(*end)
	default:
		*end = straceKinds[kind](*end, a, e, 0)
	}
}
