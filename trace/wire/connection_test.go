package wire_test

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"lbaws/trace/wire"
)

// A script is a connection as packetdrill writes it, a line for each segment:
//
//	> P. 1:11(10) ack 1 win 500 | ESTABLISHED | ESTABLISHED | again
//
// The client sends (<: the server does) a segment with PSH and ACK that carries
// 10 bytes. When it has arrived, the client is in the first state and the server
// in the second, - if nothing is known of it. Then comes what else is to be
// seen: "again", "probe", "shown 0" or "shown 0 1" if that is how its numbers are counted,
// or why the segment is ignored. Numbers count from the SYNs. A segment may also be
// "wscale N" or "damaged". Other lines are
//
//	queue full, queue free          Connection.QueueFull
//	correct server SYN_RCVD         Connection.Correct
//	new                             the next segment begins another connection
type script struct {
	t              *testing.T
	client, server uint32 // the numbers of the SYNs
	c              wire.Connection
	new            bool
}

var clientAddr, serverAddr = netip.MustParseAddrPort("192.0.2.1:40000"), netip.MustParseAddrPort("192.0.2.2:8888")

func newScript(t *testing.T, client, server uint32) *script {
	return &script{t: t, client: client, server: server,
		c: wire.Connection{Client: clientAddr, Server: serverAddr}}
}

// run runs all lines.
func (r *script) run(lines string) {
	r.t.Helper()
	for line := range strings.Lines(lines) {
		if line = strings.TrimSpace(line); line != "" {
			r.line(line)
		}
	}
}

func (r *script) line(line string) {
	r.t.Helper()
	switch word, rest, _ := strings.Cut(line, " "); word {
	case "queue":
		r.c.QueueFull = rest == "full"
	case "correct":
		end, name, _ := strings.Cut(rest, " ")
		r.c.Correct(end == "client", state(name))
	case "new":
		r.new = true
	default:
		r.segment(line)
	}
}

func (r *script) segment(line string) {
	r.t.Helper()
	columns := strings.Split(line, "|")
	for i := range columns {
		columns[i] = strings.TrimSpace(columns[i])
	}
	s, shown := r.parse(columns[0])
	if begins := r.c.Begins(&s); begins != r.new {
		r.t.Errorf("%s\nbegins a connection: %v", line, begins)
	}
	if r.new {
		r.c, r.new = wire.Connection{Client: clientAddr, Server: serverAddr}, false
	}
	want := wire.Seen{FromClient: s.From == clientAddr, Seq: shown, Client: state(columns[1]), Server: state(columns[2])}
	if s.Flags&wire.ACK != 0 {
		want.Ack = s.Ack - r.server
		if !want.FromClient {
			want.Ack = s.Ack - r.client
		}
	}
	for _, word := range columns[3:] {
		switch numbers, isShown := strings.CutPrefix(word, "shown "); {
		case isShown:
			fmt.Sscan(numbers, &want.Seq, &want.Ack)
		case word == "again":
			want.Again = true
		case word == "probe":
			want.Probe = true
		default:
			want.Ignored = word
		}
	}
	if got := r.c.See(&s); got != want {
		r.t.Errorf("%s\n got %+v\nwant %+v", line, got, want)
	}
}

func state(name string) wire.State {
	s, ok := wire.ParseState(name)
	if !ok && name != "-" && name != "" {
		panic("no state of TCP: " + name)
	}
	return s
}

// parse reads a segment, and its number as it stands there.
func (r *script) parse(text string) (s wire.Segment, number uint32) {
	words := strings.Fields(text)
	own, other := r.client, r.server
	s = wire.Segment{From: clientAddr, To: serverAddr, Window: 1000, Scale: -1}
	if words[0] == "<" {
		own, other = other, own
		s.From, s.To = s.To, s.From
	}
	for _, flag := range words[1] {
		s.Flags |= map[rune]wire.Flags{'S': wire.SYN, 'F': wire.FIN, 'R': wire.RST, 'P': wire.PSH, '.': wire.ACK}[flag]
	}
	var start, end int
	if _, err := fmt.Sscanf(words[2], "%d:%d(%d)", &start, &end, &s.Len); err != nil || start+s.Len != end {
		r.t.Fatalf("%q: %v", text, err)
	}
	number = uint32(start)
	s.Seq = own + number
	for i, word := range words {
		if i+1 == len(words) {
			s.Damaged = word == "damaged"
			break
		}
		n, _ := strconv.Atoi(words[i+1])
		switch word {
		case "ack":
			s.Ack = other + uint32(n)
		case "win":
			s.Window = n
		case "wscale":
			s.Scale = n
		}
	}
	return s, number
}

// play runs a script with several numbers of the SYNs, so that each place of it
// is once where numbers wrap around.
func play(t *testing.T, scripts map[string]string) {
	for name, lines := range scripts {
		t.Run(name, func(t *testing.T) {
			for _, first := range []uint32{1000, 0xffffffff, 0xfffffffe, 0xfffffffa, 0xfffffff0, 0xffffff80, 0x7ffffff0} {
				if newScript(t, first, 5000).run(lines); !t.Failed() {
					newScript(t, 5000, first).run(lines)
				}
				if t.Failed() {
					t.Fatalf("with the first number %#x", first)
				}
			}
		})
	}
}

// begun is the handshake without its last segment. It leaves both windows at 1000.
const begun = `
	> S  0:0(0)                | SYN_SENT    | -
	< S. 0:0(0)    ack 1       | ESTABLISHED | SYN_RCVD
`

// opened is the handshake.
const opened = begun + `
	> .  1:1(0)    ack 1       | ESTABLISHED | ESTABLISHED
`

// asked is the handshake and a request.
const asked = opened + `
	> P. 1:11(10)  ack 1       | ESTABLISHED | ESTABLISHED
	< .  1:1(0)    ack 11      | ESTABLISHED | ESTABLISHED
`

// halfClosed is the same, and the client's FIN.
const halfClosed = asked + `
	> F. 11:11(0)  ack 1       | FIN_WAIT_1  | CLOSE_WAIT
`
