package trace

import (
	"bytes"

	"lbaws/trace/message"
)

// anatomy adds the parts of a request or a response where they are first seen:
// where the receiver reads it or, if only the sender is traced, where that one
// writes it.
func (f *figure) anatomy(e *Event, c *conversation, data []byte) {
	if c == nil {
		return
	}
	if e.Call.Does == Reads && e.Side == Server {
		c.unread = e.Result == e.Args[2].Int
	}
	if len(data) == 0 || f.run.Both && e.Call.Does == Writes {
		return
	}
	isRequest := (e.Side == Server) == (e.Call.Does == Reads)
	switch {
	case isRequest && !c.requested:
		c.requested = true
		if !e.cut() { // or else a recording has only the beginning
			c.incomplete = message.Incomplete(data, e.Args[2].Int)
		}
		f.requestParts(e.Side, data, e.cut())
	case !isRequest && !c.responded:
		c.responded = true
		if !bytes.Equal(data, f.response) { // the same as the last one is shown once
			f.response = append(f.response[:0], data...)
			f.responseParts(e.Side, data, e.cut())
		}
	}
}

func (f *figure) requestParts(side Side, data []byte, cut bool) {
	parts, ok := message.RequestParts(data)
	switch {
	case ok:
		f.parts = parts
		f.add(partsRow, side).parts = f.parts[:]
	case !bytes.Contains(data, newline):
		f.notComplete(side, "request", cut)
	default:
		f.say(side, "not an HTTP request: the first line is not method, path and version")
	}
}

// notComplete says that a message's first line has not come yet, if a recording has not
// cut it off.
func (f *figure) notComplete(side Side, what string, cut bool) {
	if !cut {
		f.say(side, "the "+what+"'s first line is not complete yet")
	}
}

func (f *figure) responseParts(side Side, data []byte, cut bool) {
	status, body, ok := message.ResponseParts(data)
	switch {
	case ok:
		f.parts = status
		f.add(partsRow, side).parts = f.parts[:]
		if len(body) > 0 {
			f.add(partsRow, side).parts = []message.Part{
				{Text: []byte("\r\n"), Name: "blank line"}, {Text: wholeOrCut(body, cut), Name: "body"}}
		}
	case !bytes.Contains(data, newline):
		f.notComplete(side, "response", cut)
	default:
		f.say(side, "not an HTTP response: the first line is not a status line")
	}
}

// wholeOrCut returns a body with "..." behind it if a recording has only its beginning.
func wholeOrCut(body []byte, cut bool) []byte {
	if cut {
		return append(bytes.Clone(body), "..."...)
	}
	return body
}

var newline = []byte("\n")
