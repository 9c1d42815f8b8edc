package picture

import (
	"bytes"
	"net/netip"
	"strings"

	"lbaws/trace/event"
	"lbaws/trace/figure"
	"lbaws/trace/layout"
	"lbaws/trace/message"
	"lbaws/trace/wire"
)

// Pictures returns the formats that draw the tutorial's pictures, by the names of their
// files. They need both ends of one connection, and write an SVG each when it has ended.
func Pictures() map[string]event.Format {
	columns := layout.Columns{Limit: 32, About: figure.About{Both: true}}
	connection := NewSVG(columns)
	connection.Drawer.(*picture).callsOnly = true // what the kernel holds is in other pictures
	formats := map[string]event.Format{"connection.svg": connection, "kernel.svg": &kernelPicture{}}
	for name, draw := range map[string]func(*sheet, *scene){
		"model.svg":     drawModel,
		"url.svg":       drawURL,
		"procedure.svg": drawProcedure,
		"request.svg":   drawRequest,
		"response.svg":  drawResponse,
		"states.svg":    drawStates,
	} {
		formats[name] = figure.NewDrawing(columns.About, &scene{picture: draw})
	}
	return formats
}

// scene collects from the rows of one connection what a picture is drawn from.
type scene struct {
	picture func(*sheet, *scene)

	request, response []byte // as they were read
	client, server    netip.AddrPort
	calls             []string     // the server's
	begun             string       // what is known of the call that it waits in
	last              [2]string    // the call that each side began last
	passed            [2][]passage // the states of each side
	warnings          []string     // why states may be missing
}

// passage is a change of state, and what brought it about.
type passage struct {
	cause string
	state wire.State
}

// Draw notes what the picture needs of a row of the first connection. It is drawn at the
// end.
func (c *scene) Draw(b []byte, r *figure.Row) []byte {
	const limit = 12
	if r.Program > 0 || r.Conversation != nil && r.Conversation.Number > 1 {
		return b
	}
	switch r.Kind {
	case figure.BeginRow:
		c.last[r.Side] = r.Name
		if r.Side == event.Server {
			c.begun = string(r.Text.Append(nil, limit))
		}
	case figure.ReturnRow:
		if r.Side == event.Server {
			c.calls = append(c.calls, c.begun+string(r.Rest.Append(nil, limit)))
		}
		c.returned(r)
	case figure.CallRow:
		c.last[r.Side] = r.Name
		if r.Side == event.Server {
			c.calls = append(c.calls, string(r.Text.Append(nil, limit)))
		}
		if state, ok := wire.ParseState(r.Remark); ok {
			c.pass(r.Side, r.Name, state)
		}
	case figure.NoteRow:
		if r.Warning {
			c.warnings = append(c.warnings, string(r.Text.Before))
		}
	case figure.ArrowRow:
		c.arrow(r)
	}
	return b
}

// returned notes what a call that may wait has returned.
func (c *scene) returned(r *figure.Row) {
	switch {
	case r.Name == "accept" && r.Conversation != nil:
		c.client, c.server = r.Conversation.Client, r.Conversation.Server
	case r.Name == "read" && r.Side == event.Server:
		c.request = append(c.request, r.Text.Buffer...)
	case r.Name == "read":
		c.response = append(c.response, r.Text.Buffer...)
	}
}

// arrow notes the states that a segment leads to.
func (c *scene) arrow(r *figure.Row) {
	if r.Implied {
		return
	}
	flags, _, _ := strings.Cut(string(r.Text.Before), " ")
	sent := "sent " + flags
	if flags == "SYN" || strings.Contains(flags, "FIN") { // these a call sends, the others the kernel does
		sent = c.last[r.Side] + ": " + sent
	}
	c.pass(r.Side, sent, r.States[r.Side])
	c.pass(r.Side.Peer(), "got "+flags, r.States[r.Side.Peer()])
}

// pass notes the new state of a side, if it has one.
func (c *scene) pass(side event.Side, cause string, state wire.State) {
	if state != wire.Unknown {
		c.passed[side] = append(c.passed[side], passage{cause, state})
	}
}

// End appends the picture.
func (c *scene) End(b []byte) []byte {
	s := &sheet{shapes: shapes{unit: characterWidth}}
	c.picture(s, c)
	return s.appendTo(b)
}

// drawModel draws a client and a server, and what goes over between them.
func drawModel(s *sheet, c *scene) {
	s.title = "The web server model: a request goes over, a response comes back"
	const left, right, width, height = 20, 560, 190, 140
	s.box(left, 20, width, height, "client", c.client.String())
	s.box(right, 20, width, height, "server", c.server.String())
	s.arrow(left+width, 65, right, 65, "request: "+firstLine(c.request))
	s.arrow(right, 125, left+width, 125, "response: "+firstLine(c.response))
}

func firstLine(b []byte) string {
	line, _, _ := bytes.Cut(b, []byte("\n"))
	return string(layout.AppendPrintable(nil, bytes.TrimSuffix(line, []byte("\r"))))
}

// drawURL draws the parts of the URL that the request says it is for.
func drawURL(s *sheet, c *scene) {
	parts, _ := message.RequestParts(c.request)
	_, rest, _ := bytes.Cut(c.request, []byte("\r\nHost: "))
	host, _, _ := bytes.Cut(rest, []byte("\r\n"))
	colon := max(0, bytes.LastIndexByte(host, ':'))
	protocol, _, _ := bytes.Cut(bytes.ToLower(parts[2].Text), []byte("/"))
	s.title = "The URL of the request, in its parts"
	x := 20.0
	for _, p := range []message.Part{
		{Text: protocol, Name: "protocol"}, {Text: []byte("://")}, {Text: host[:colon], Name: "host name"}, {Text: []byte(":")},
		{Text: bytes.TrimPrefix(host[colon:], []byte(":")), Name: "port number"}, {Text: parts[1].Text, Name: "path"},
	} {
		if p.Name == "path" { // nothing stands before it
			x += besides
		}
		x = s.part(x, p)
	}
}

// drawProcedure draws the server's calls as boxes, one below the other: those for each
// client again and again. listen makes two queues in the kernel, through which a client
// comes to accept; its bytes come to read, and those of write to it. What closes the
// listening socket is not part of that.
func drawProcedure(s *sheet, c *scene) {
	s.title = "The server's procedure, and where the client comes in"
	const left, width, height, step = 430, 410, 34, 56
	const queue, queueWidth = 180, 160
	const client, clientWidth = 14, 110
	y, listen, accept, last := 20.0, 0.0, 0.0, 0.0
	for i, call := range c.calls {
		text, _ := layout.AppendCut(nil, []byte(call), 52)
		if leaves := strings.HasPrefix(call, "close") && i == len(c.calls)-1 && accept == 0; leaves {
			y += 10
			s.text(left, y-8, "note", "when the server leaves:")
		} else if i > 0 {
			s.arrow(left+width/2, y-step+height, left+width/2, y, "")
		}
		s.box(left, y, width, height, string(text))
		middle := y + height/2
		switch {
		case strings.HasPrefix(call, "listen"):
			listen = middle
		case strings.HasPrefix(call, "accept") && !strings.Contains(call, " = -1"):
			accept, last = middle, middle
			s.frame(queue-10, listen-44, queueWidth+20, accept-listen+92)
			s.text(queue, listen-30, "note", "in the kernel")
			s.box(queue, listen-22, queueWidth, 50, "SYN queue", "handshakes begun")
			s.box(queue, accept-10, queueWidth, 50, "accept queue", "complete, waiting")
			s.arrow(queue+queueWidth/2, listen+28, queue+queueWidth/2, accept-10, "")
			s.arrow(left, listen, queue+queueWidth+10, listen, "makes")
			s.arrow(queue+queueWidth, accept, left, accept, "")
			s.arrow(client+clientWidth, listen+8, queue, listen+8, "SYN")
		case strings.HasPrefix(call, "read") && accept > 0 && last < middle-step/2:
			s.arrow(client+clientWidth, middle+12, left, middle+12, "request")
			last = middle
		case strings.HasPrefix(call, "write") && accept > 0:
			s.arrow(left, middle, client+clientWidth, middle, "response")
			last = middle
		case strings.HasPrefix(call, "close") && accept > 0:
			const beside = left + width + 24
			s.line(left+width, middle, beside, middle)
			s.line(beside, middle, beside, accept)
			s.arrow(beside, accept, left+width, accept, "")
			s.text(left+width/2+12, middle+30, "note", "and the next client")
			s.box(client, listen-22, clientWidth, last-listen+44, "client")
			accept = 0
			y += 20
		}
		y += step
	}
}

// drawRequest draws the parts of the request's first line, and what follows it.
func drawRequest(s *sheet, c *scene) {
	parts, _ := message.RequestParts(c.request)
	s.anatomy("A request, as the server read it, in its parts", parts)
	_, rest, _ := bytes.Cut(c.request, []byte("\n"))
	s.lines(rest, "header fields, and the blank line that ends them")
}

// drawResponse draws the parts of the status line, the blank line and the body.
func drawResponse(s *sheet, c *scene) {
	status, body, _ := message.ResponseParts(c.response)
	s.anatomy("A response, as the client read it, in its parts", status)
	s.lines([]byte("\r\n"), "blank line")
	s.lines(body, "body")
}
