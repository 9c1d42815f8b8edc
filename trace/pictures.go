package trace

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"

	"lbaws/trace/message"
	"lbaws/trace/wire"
)

// Picture draws one picture of the tutorial from the calls and the segments of
// one connection of which both ends are traced. It writes it as an SVG when the
// program leaves. Pictures has them all.
type Picture struct {
	Name string // of its file
	draw func(*sheet, *scene)
	scene
}

// Pictures returns the pictures. The books' diagram, figures 4.1 and 2.5, is not
// among them: that is NewSVG.
func Pictures() []*Picture {
	pictures := []*Picture{
		{Name: "model.svg", draw: drawModel},
		{Name: "url.svg", draw: drawURL},
		{Name: "procedure.svg", draw: drawProcedure},
		{Name: "request.svg", draw: drawRequest},
		{Name: "response.svg", draw: drawResponse},
		{Name: "states.svg", draw: drawStates},
	}
	for _, p := range pictures {
		p.why = "segments were not captured" // until Capture says so
	}
	return pictures
}

// scene is what a picture is drawn from.
type scene struct {
	request, response []byte // as they were read
	client, server    netip.AddrPort
	calls             []string // the server's
	why               string   // why no segments are captured; "" if they are
	lost              int      // segments that were not captured
	connection        wire.Connection
	passed            [2][]passage // the states of each side
	last              [2]*Call     // the call that each side began last
}

// passage is a change of state, and what brought it about.
type passage struct {
	cause string
	state wire.State
}

// AppendEnter notes the call. A picture is drawn at the end.
func (p *Picture) AppendEnter(b []byte, e *Event) []byte {
	p.last[e.Side] = e.Call
	return b
}

// AppendReturn notes what the picture needs of a call.
func (p *Picture) AppendReturn(b []byte, e *Event) []byte {
	if e.Side == Server {
		p.calls = append(p.calls, string(appendCall(nil, e, 20)))
	}
	if e.failed() {
		return b
	}
	switch {
	case e.Side == Server && e.Call == acceptCall:
		p.client = e.Args[1].Addr.AddrPort()
	case e.Side == Server && (e.Call == bindCall || e.Call == getsocknameCall):
		p.server = e.Args[1].Addr.AddrPort()
	case e.Side == Server && e.Call == readCall:
		p.request = append(p.request, e.Args[1].Data[:e.Result]...)
	case e.Side == Client && e.Call == readCall:
		p.response = append(p.response, e.Args[1].Data[:e.Result]...)
	case e.Side == Server && e.Call == listenCall:
		p.pass(Server, "listen", wire.Listen)
	}
	return b
}

// Capture notes why there are no segments.
func (p *Picture) Capture(_ uint16, err error) {
	if p.why = ""; err != nil {
		p.why = err.Error()
	}
}

// AppendSegment notes the states that a segment leads to.
func (p *Picture) AppendSegment(b []byte, s *wire.Segment) []byte {
	if p.connection.Client == (netip.AddrPort{}) {
		p.connection.Client = s.From
	}
	seen := p.connection.See(s)
	from, to := Client, Server
	if !seen.FromClient {
		from, to = to, from
	}
	cause := "sent " + s.Flags.String()
	if s.Flags&(wire.SYN|wire.ACK) == wire.SYN || s.Flags&wire.FIN != 0 { // these a call sends, the others the kernel does
		cause = p.last[from].Name + ": " + cause
	}
	states := map[Side]wire.State{Client: seen.Client, Server: seen.Server}
	p.pass(from, cause, states[from])
	p.pass(to, "got "+s.Flags.String(), states[to])
	return b
}

// pass notes the state of a side, if it is another than before.
func (p *Picture) pass(side Side, cause string, state wire.State) {
	passed := p.passed[side]
	if state != wire.Unknown && (len(passed) == 0 || passed[len(passed)-1].state != state) {
		p.passed[side] = append(passed, passage{cause, state})
	}
}

// Awaits leaves it to the diagram to wait for segments.
func (p *Picture) Awaits() bool { return false }

// AppendLost keeps n for the end.
func (p *Picture) AppendLost(b []byte, n int) []byte {
	p.lost = n
	return b
}

// AppendEnd writes the picture.
func (p *Picture) AppendEnd(b []byte) []byte {
	s := &sheet{}
	p.draw(s, &p.scene)
	return s.appendPicture(b)
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
	line, _, _ := bytes.Cut(b, newline)
	return string(appendPrintable(nil, bytes.TrimSuffix(line, []byte("\r"))))
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
		x = s.part(x, p)
	}
}

// drawProcedure draws the server's calls as boxes, one below the other, and the
// client, which comes in at accept.
func drawProcedure(s *sheet, c *scene) {
	s.title = "The server's procedure, and where the client comes in"
	const left, width, height, step = 560, 460, 34, 56
	y, accept := 20.0, 0.0
	for i, call := range c.calls {
		if i > 0 {
			s.arrow(left+width/2, y-step+height, left+width/2, y, "")
		}
		s.box(left, y, width, height, call)
		middle := y + height/2
		switch {
		case strings.HasPrefix(call, "accept") && !strings.Contains(call, " = -1"):
			accept = middle
			s.box(20, y-10, 180, height+20, "client", c.client.String())
			s.arrow(200, middle, 310, middle, "connect")
			s.box(310, y-10, 150, height+20, "queue", "in the kernel")
			s.arrow(460, middle, left, middle, "")
		case strings.HasPrefix(call, "close") && accept > 0:
			const beside = left + width + 30
			s.line(left+width, middle, beside, middle)
			s.line(beside, middle, beside, accept)
			s.arrow(beside, accept, left+width, accept, "")
			s.text(beside+8, (middle+accept)/2, "seen", "the next client")
			accept = 0
		}
		y += step
	}
}

// drawRequest draws the parts of the request's first line, and what follows it.
func drawRequest(s *sheet, c *scene) {
	parts, _ := message.RequestParts(c.request)
	s.anatomy("A request, as the server read it, in its parts", append(parts[:], lineEnd))
	_, rest, _ := bytes.Cut(c.request, newline)
	s.lines(rest, "header fields, and the blank line that ends them")
}

// lineEnd is what ends the first line of a request or a response.
var lineEnd = message.Part{Text: []byte("\r\n")}

// drawResponse draws the parts of the status line, the blank line and the body.
func drawResponse(s *sheet, c *scene) {
	status, body, _ := message.ResponseParts(c.response)
	s.anatomy("A response, as the client read it, in its parts", append(status[:], lineEnd))
	s.lines([]byte("\r\n"), "blank line")
	s.lines(body, "body")
}

// drawStates draws the states that the two ends went through, and what led to
// each: the path of this connection through UNP figure 2.4.
func drawStates(s *sheet, c *scene) {
	s.title = "The states that the two ends of a connection went through (UNP figure 2.4)"
	if c.why != "" {
		s.text(20, 30, "note", "no states: "+c.why)
		return
	}
	if c.lost > 0 {
		s.text(20, 12, "note", fmt.Sprintf("%d segments were not captured", c.lost))
	}
	const width, height, step = 170, 34, 68
	for _, side := range []Side{Client, Server} {
		x := map[Side]float64{Client: 40, Server: 420}[side]
		s.text(x, 34, "state", strings.ToUpper(sideNames[side]))
		y := 50.0
		s.box(x, y, width, height, string(wire.Closed))
		for _, passed := range c.passed[side] {
			s.arrow(x+width/2, y+height, x+width/2, y+step, "")
			s.text(x+width/2+12, y+height+22, "note", passed.cause)
			y += step
			s.box(x, y, width, height, string(passed.state))
		}
	}
}

// sheet is a picture in the making. Positions are in pixels.
type sheet struct {
	title         string
	shapes, said  strings.Builder
	width, height float64
	below         float64 // where the next lines begin
}

// reach makes the sheet so large that the point is on it.
func (s *sheet) reach(x, y float64) { s.width, s.height = max(s.width, x), max(s.height, y) }

// text draws a text whose line stands on y.
func (s *sheet) text(x, y float64, class, text string) {
	n := float64(len([]rune(text))) * characterWidth
	fmt.Fprintf(&s.shapes, `<text class="%s" x="%.1f" y="%.1f" textLength="%.1f" lengthAdjust="spacingAndGlyphs">%s</text>`+"\n",
		class, x, y, n, escaped(text))
	s.said.WriteString(text + "\n")
	s.reach(x+n, y)
}

// box draws a box with lines of text in its middle; the first one is its name.
func (s *sheet) box(x, y, width, height float64, lines ...string) {
	fmt.Fprintf(&s.shapes, `<rect class="box" x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="4"/>`+"\n", x, y, width, height)
	s.reach(x+width, y+height)
	top := y + height/2 - float64(len(lines)-1)*rowHeight/2 + 4
	for i, line := range lines {
		class := "note"
		if i == 0 {
			class = "state"
		}
		s.text(x+width/2-float64(len([]rune(line)))*characterWidth/2, top+float64(i)*rowHeight, class, line)
	}
}

func (s *sheet) line(x1, y1, x2, y2 float64) {
	fmt.Fprintf(&s.shapes, `<line class="seen" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`+"\n", x1, y1, x2, y2)
}

// arrow draws an arrow, level or upright, with a label above its middle.
func (s *sheet) arrow(x1, y1, x2, y2 float64, label string) {
	s.line(x1, y1, x2, y2)
	const head, half = 9, 4.5
	switch {
	case x1 == x2:
		s.polygon(x2, y2, x2-half, y2-head, x2+half, y2-head)
	case x1 < x2:
		s.polygon(x2, y2, x2-head, y2-half, x2-head, y2+half)
	default:
		s.polygon(x2, y2, x2+head, y2-half, x2+head, y2+half)
	}
	if label != "" {
		s.text((x1+x2)/2-float64(len([]rune(label)))*characterWidth/2, y1-6, "seen", label)
	}
}

func (s *sheet) polygon(x1, y1, x2, y2, x3, y3 float64) {
	fmt.Fprintf(&s.shapes, `<polygon class="seen" points="%.1f,%.1f %.1f,%.1f %.1f,%.1f"/>`+"\n", x1, y1, x2, y2, x3, y3)
}

// anatomy draws parts side by side, each in a box with its name below.
func (s *sheet) anatomy(title string, parts []message.Part) {
	s.title = title
	x := 20.0
	for _, p := range parts {
		x = s.part(x, p) + 10
	}
	s.below = 110
}

// part draws a part with its name below, in a box if it has a name, and returns
// where it ends.
func (s *sheet) part(x float64, p message.Part) float64 {
	text := string(appendPrintable(nil, p.Text))
	width := float64(max(len(text), len(p.Name)))*characterWidth + 24
	if p.Name == "" {
		s.text(x+12, 44, "state", text)
		return x + width
	}
	s.box(x, 20, width, 40, text)
	s.text(x+width/2-float64(len(p.Name))*characterWidth/2, 82, "note", p.Name)
	return x + width
}

// lines draws the lines of a text below what is there, and what they are.
func (s *sheet) lines(text []byte, name string) {
	for line := range bytes.Lines(text) {
		s.text(32, s.below, "call", string(appendPrintable(nil, line)))
		s.below += rowHeight
	}
	s.text(32, s.below, "note", name)
	s.below += rowHeight + 10
}

// appendPicture appends the whole picture.
func (s *sheet) appendPicture(b []byte) []byte {
	width, height := s.width+20, s.height+20
	return appendPicture(b, width, height, s.title, s.said.String(), s.shapes.String())
}
