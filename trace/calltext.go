package trace

import "unicode/utf8"

// The text of a call in the diagram. It is the call's own, as Strace has it,
// but an address is written as address and port, without its length.

// appendCall appends a call that has returned.
func appendCall(b []byte, e *Event, limit int) []byte {
	b = append(b, e.Call.Name...)
	b = append(b, '(')
	b = appendDiagramArgs(b, e, limit, len(e.Call.Params))
	b = append(b, ") = "...)
	return appendResult(b, e)
}

// appendCallBegin appends what is known of a call when it begins.
func appendCallBegin(b []byte, e *Event) []byte {
	b = append(b, e.Call.Name...)
	b = append(b, '(')
	known := e.Call.atEntry()
	b = appendDiagramArgs(b, e, 0, known)
	if known == len(e.Call.Params) {
		b = append(b, ')')
	}
	return b
}

// appendCallRest appends what a call has returned, on a row of its own.
func appendCallRest(b []byte, e *Event, limit int) []byte {
	b = append(b, "… "...)
	b = append(b, e.Call.Name...)
	b = append(b, " = "...)
	b = appendResult(b, e)
	if e.failed() {
		return b
	}
	switch e.Call {
	case acceptCall:
		b = append(b, ", peer "...)
		b = e.Args[1].Addr.AddrPort().AppendTo(b)
	case readCall:
		b = append(b, ", "...)
		b = appendIncoming(b, &e.Args[1], e, limit)
	}
	return b
}

// appendDiagramArgs appends the arguments below number to, with a comma after
// each but the call's last. The lengths of addresses are left out.
func appendDiagramArgs(b []byte, e *Event, limit, to int) []byte {
	params := e.Call.Params
	for i := 0; i < to; i++ {
		kind := params[i].Kind
		if kind == AddressRoom || i > 0 && kind == Decimal && params[i-1].Kind == Address {
			continue
		}
		if i > 0 {
			b = append(b, ", "...)
		}
		b = diagramKind(kind)(b, &e.Args[i], e, limit)
	}
	if to < len(params) {
		b = append(b, ", "...)
	}
	return b
}

// diagramKind is what appends an argument: Strace's way, but for addresses.
func diagramKind(kind Kind) func([]byte, *Arg, *Event, int) []byte {
	if kind == Address || kind == PeerAddress {
		return appendAddressPort
	}
	return straceKinds[kind]
}

func appendAddressPort(b []byte, a *Arg, e *Event, _ int) []byte {
	addr := a.Addr.AddrPort()
	if e.failed() && !addr.IsValid() {
		return append(b, "…"...)
	}
	return addr.AppendTo(b)
}

// fit appends the text of a call in room characters, if need be with fewer bytes
// of its buffer. If that is not enough, it takes as many as whole, and cuts the
// end off only where it needs more.
func fit(b []byte, e *Event, limit, room, whole int, text func([]byte, *Event, int) []byte) []byte {
	start := len(b)
	b = shorten(b, e, limit, room, text)
	if characters(b[start:]) > room {
		b = shorten(b[:start], e, limit, whole, text)
	}
	if characters(b[start:]) > whole {
		cut := start
		for range whole - 1 {
			_, size := utf8.DecodeRune(b[cut:])
			cut += size
		}
		b = append(b[:cut], "…"...)
	}
	return b
}

// shorten appends the text of a call in room characters, if it fits with fewer
// bytes of its buffer, or else with none of them.
func shorten(b []byte, e *Event, limit, room int, text func([]byte, *Event, int) []byte) []byte {
	start := len(b)
	for {
		b = text(b[:start], e, limit)
		excess := characters(b[start:]) - room
		if excess <= 0 || limit == 0 {
			return b
		}
		// A byte takes up to four characters: to take off a quarter of the
		// excess never takes off too much, and is enough in a few turns.
		limit = max(0, min(limit, longest(e))-(excess+3)/4)
	}
}

// longest is the length of the call's buffer.
func longest(e *Event) int {
	n := 0
	for i, p := range e.Call.Params {
		switch {
		case p.Kind == Outgoing:
			n = len(e.Args[i].Data)
		case p.Kind == Incoming && !e.failed():
			n = e.Result
		}
	}
	return n
}
