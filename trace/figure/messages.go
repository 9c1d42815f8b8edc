package figure

import (
	"bytes"

	"lbaws/trace/event"
	"lbaws/trace/message"
)

// anatomy adds the parts of a request or a response where the receiver first reads it or,
// if only the sender is traced, where that one first writes it.
func (f *Figure) anatomy(e *event.Event, c *conversation, data []byte) {
	if c == nil {
		return
	}
	if e.Call.Does == event.Reads && e.Side == event.Server {
		c.unread, c.incomplete = e.Moved() == e.Args[2].Int, "" // what the first read left open, another one may have got
	}
	if len(data) == 0 || !f.isOneEnd(c) && e.Call.Does == event.Writes {
		return
	}
	isRequest := (e.Side == event.Server) == (e.Call.Does == event.Reads)
	switch {
	case isRequest && !c.requested:
		c.requested = true
		if !e.Cut() { // or else a recording has only the beginning
			c.incomplete = message.Incomplete(data, e.Args[2].Int)
		}
		parts, ok := message.RequestParts(data)
		c.head = ok && string(parts[0].Text) == "HEAD"
		f.firstLine(e, c.serverPort(), data, parts, ok, "request", "method, path and version")
	case !isRequest && !c.responded:
		c.responded = true
		if bytes.Equal(data, f.response) { // the same as the last one is shown once
			return
		}
		f.response = append(f.response[:0], data...)
		parts, body, ok := message.ResponseParts(data)
		f.firstLine(e, c.serverPort(), data, parts, ok, "response", "a status line")
		if len(body) > 0 {
			if e.Cut() {
				body = append(bytes.Clone(body), "..."...)
			}
			f.add(PartsRow, e.Side).Parts = []message.Part{
				{Text: []byte("\r\n"), Name: "blank line"}, {Text: body, Name: "body"}}
		}
		if end := message.BodyEnd(data, e.Moved()); end != "" && c.requested && !c.head {
			f.say(e.Side, end)
		}
	}
}

// serverPort is the port of a connection's server.
func (c *conversation) serverPort() uint16 {
	if c.reaches.IsValid() {
		return c.reaches.Port()
	}
	return c.Server.Port()
}

// firstLine adds the parts of a message's first line if that is what it should be, or says
// that it is not, or has not come yet. A recording may have cut it off. Of another program's
// server, which may speak any other protocol, it says so once.
func (f *Figure) firstLine(e *event.Event, port uint16, data []byte, parts [3]message.Part, ok bool, what, should string) {
	switch {
	case ok:
		f.parts = parts
		f.add(PartsRow, e.Side).Parts = f.parts[:]
	case f.others && f.speaks[port]:
	case bytes.IndexByte(data, '\n') >= 0:
		f.say(e.Side, "not an HTTP "+what+": the first line is not "+should)
		f.speaks[port] = true
	case !e.Cut():
		f.say(e.Side, "not an HTTP "+what+" yet: the first line has no end")
		f.speaks[port] = true
	}
}
