package figure

import (
	"bytes"

	"lbaws/trace/event"
	"lbaws/trace/message"
)

// anatomy adds the parts of a request or a response where they are first seen:
// where the receiver reads it or, if only the sender is traced, where that one
// writes it.
func (f *Figure) anatomy(e *event.Event, c *conversation, data []byte) {
	if c == nil {
		return
	}
	if e.Call.Does == event.Reads && e.Side == event.Server {
		c.unread = e.Result == e.Args[2].Int
	}
	if len(data) == 0 || f.run.Both && e.Call.Does == event.Writes {
		return
	}
	isRequest := (e.Side == event.Server) == (e.Call.Does == event.Reads)
	switch {
	case isRequest && !c.requested:
		c.requested = true
		if !e.Cut() { // or else a recording has only the beginning
			c.incomplete = message.Incomplete(data, e.Args[2].Int)
		}
		f.requestParts(e.Side, data, e.Cut())
	case !isRequest && !c.responded:
		c.responded = true
		if !bytes.Equal(data, f.response) { // the same as the last one is shown once
			f.response = append(f.response[:0], data...)
			f.responseParts(e.Side, data, e.Cut())
		}
	}
}

func (f *Figure) requestParts(side event.Side, data []byte, cut bool) {
	parts, ok := message.RequestParts(data)
	switch {
	case ok:
		f.parts = parts
		f.add(PartsRow, side).Parts = f.parts[:]
	case !bytes.Contains(data, Newline):
		f.notComplete(side, "request", cut)
	default:
		f.say(side, "not an HTTP request: the first line is not method, path and version")
	}
}

// notComplete says that a message's first line has not come yet, if a recording has not
// cut it off.
func (f *Figure) notComplete(side event.Side, what string, cut bool) {
	if !cut {
		f.say(side, "the "+what+"'s first line is not complete yet")
	}
}

func (f *Figure) responseParts(side event.Side, data []byte, cut bool) {
	status, body, ok := message.ResponseParts(data)
	switch {
	case ok:
		f.parts = status
		f.add(PartsRow, side).Parts = f.parts[:]
		if len(body) > 0 {
			f.add(PartsRow, side).Parts = []message.Part{
				{Text: []byte("\r\n"), Name: "blank line"}, {Text: wholeOrCut(body, cut), Name: "body"}}
		}
	case !bytes.Contains(data, Newline):
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

var Newline = []byte("\n")
