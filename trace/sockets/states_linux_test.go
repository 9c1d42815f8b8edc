package sockets_test

import (
	"cmp"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/trace/event"
	"lbaws/trace/layout"
	"lbaws/trace/screen"
	"lbaws/trace/tracer"
	"lbaws/trace/tracetest"
	"lbaws/trace/wire"
)

// stateCase is a connection of which the drawn states must be the kernel's. Each
// move is a call of the server's (accept, read, write, shutdown, close), or a
// segment that a peer behind a tunnel sends: "a SYN", or, with numbers that are off
// from those that come next, "a FIN seq+5". Peers have letters.
type stateCase struct {
	name    string
	backlog int
	cookies bool // whether the kernel always answers with SYN cookies
	ipv6    bool
	moves   string
	says    string // a part of the diagram, if the kernel is asked
}

const handshake = "a SYN; a ACK; "

var stateCases = []stateCase{
	{name: "plain", moves: handshake + "accept; a DATA 10; read; write; close; a ACK; a FIN"},
	{name: "client half-closes first", moves: handshake + "accept; a DATA 10; a FIN; read; write; a ACK; read; close; a ACK"},
	{name: "client closes first, and is gone", moves: handshake + "accept; a FIN; write; a RST"},
	{name: "simultaneous close", moves: handshake + "accept; close; a FIN ack-1; a ACK"},
	{name: "RST in ESTABLISHED", moves: handshake + "accept; a DATA 10; a RST; read"},
	{name: "RST in the queue", moves: handshake + "a DATA 10; a RST; accept; read; close"},
	{name: "never accepted", moves: handshake + "a DATA 10; a FIN; close listening", says: "never reached accept"},
	{name: "full accept queue", backlog: 2, moves: "a SYN; a ACK; b SYN; c SYN; b ACK; d SYN; c ACK; d ACK; d DATA 10; accept; d ACK", says: "! the accept queue is full"},
	{name: "SYN dropped", backlog: 1, moves: "a SYN; a ACK; b SYN; b ACK; c SYN; accept; c SYN again", says: "SYN seq 0 again"},
	{name: "SYN cookie", cookies: true, moves: "a SYN; a ACK; accept; a DATA 10; close; a ACK"},
	{name: "FIN before missing data", moves: handshake + "accept; a FIN seq+5; a DATA 5; a ACK seq+1; close; a ACK seq+1"},
	{name: "RST out of the window, and not exact", moves: handshake + "accept; a RST seq+100000; a RST seq+10; a RST"},
	{name: "a SYN inside, a FIN without ACK", moves: handshake + "accept; a SYN seq+10; a FINONLY seq+0; a DATA 10; a FIN; close; a ACK"},
	{name: "half-open client comes back", moves: handshake + "accept; a DATA 10; a SYN seq+500000; a RST; a SYN seq+500000; a ACK seq+500001; accept"},
	{name: "IPv6", ipv6: true, moves: handshake + "accept; a DATA 10; a FIN; read; close; a ACK"},
}

// TestStatesEqualTheKernels: after each move, the last state that was drawn for the
// server's end of each connection is the one that ss shows, whether the kernel was
// asked or not.
func TestStatesEqualTheKernels(t *testing.T) {
	tracetest.Long(t)
	ss := tracetest.Need(t, "ss", "iproute2")
	tracetest.NeedCapture(t)
	for _, c := range stateCases {
		for _, asked := range []bool{true, false} {
			if c.cookies && !asked {
				continue // from segments alone, nobody can tell a cookie
			}
			t.Run(fmt.Sprintf("%s, asked %v", c.name, asked), func(t *testing.T) {
				s := newStage(t, ss, c, asked)
				for move := range strings.SplitSeq(c.moves, "; ") {
					s.move(strings.Fields(move))
					s.compare(move)
				}
				s.tracer.End()
				if asked && !strings.Contains(s.arrows.String(), c.says) {
					t.Errorf("nothing says %q", c.says)
				}
				if t.Failed() {
					t.Logf("the diagram:\n%s", s.arrows)
				}
			})
		}
	}
}

// arrows is a format that keeps the states that the diagram draws at the server's
// end of each connection.
type arrows struct {
	*screen.Diagram
	sync.Mutex // another thread of the tracer's draws too
	all        string
	current    int
	drawn      map[int][]string // by the connection's number
	numbers    map[string]int   // of connections, by the client's address
}

var (
	drawnStates = regexp.MustCompile(`^▪?[A-Z_12]* +(?:◀─|──) (?:#(\d+) )?.*? ─*[─▶](?: ▪?([A-Z_12]+))?$`)
	rule        = regexp.MustCompile(`^── connection (\d+): (\S+) `)
)

func (a *arrows) Append(b []byte, m *event.Moment) []byte {
	return a.read(a.Diagram.Append(b, m))
}

// read reads the rows of a text, and keeps it.
func (a *arrows) read(text []byte) []byte {
	a.Lock()
	defer a.Unlock()
	a.all += string(text)
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if m := rule.FindStringSubmatch(line); m != nil {
			a.current, _ = strconv.Atoi(m[1])
			a.numbers[m[2]] = a.current
		} else if m := drawnStates.FindStringSubmatch(line); m != nil && m[2] != "" {
			number := a.current
			if m[1] != "" {
				number, _ = strconv.Atoi(m[1])
			}
			a.drawn[number] = append(a.drawn[number], m[2])
		}
	}
	return text[:0]
}

// segments is the number of segments that were drawn.
func (a *arrows) segments() int {
	a.Lock()
	defer a.Unlock()
	return strings.Count(a.all, "─ ")
}

// of returns the states that were drawn of the connection with a client, or, if it
// has had no rows of its own yet, of the connection with the given number.
func (a *arrows) of(client netip.AddrPort, number int) []string {
	a.Lock()
	defer a.Unlock()
	if n := a.numbers[client.String()]; n != 0 {
		number = n
	}
	return a.drawn[number]
}

// String is what was drawn.
func (a *arrows) String() string {
	a.Lock()
	defer a.Unlock()
	return a.all
}

// stage is a server whose calls the test makes, and the peers behind a tunnel.
type stage struct {
	*play
	arrows *arrows
	tunnel *tracetest.Tunnel
	peers  map[string]*tracetest.Peer
	names  []string // of the peers, in the order in which they came
	asked  bool     // whether the kernel is asked for its sockets
}

func newStage(t *testing.T, ss string, c stateCase, asked bool) *stage {
	t.Helper()
	if c.cookies {
		setSysctl(t, "net/ipv4/tcp_syncookies", "2")
	}
	a := &arrows{Diagram: screen.NewDiagram(layout.Columns{}, 200, false), drawn: map[int][]string{}, numbers: map[string]int{}}
	s := &stage{asked: asked, arrows: a, tunnel: tracetest.NewTunnel(t), peers: map[string]*tracetest.Peer{}}
	s.play = &play{t: t, ss: ss}
	here := tracetest.HereIPv4
	if c.ipv6 {
		here = tracetest.HereIPv6
	}
	s.begin(a, tracer.Wants{Segments: true, Sockets: asked}, netip.AddrPortFrom(here, 0), cmp.Or(c.backlog, 128))
	t.Cleanup(s.end)
	return s
}

func setSysctl(t *testing.T, name, value string) {
	t.Helper()
	file := "/proc/sys/" + name
	old, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(file, []byte(value), 0o644)
	}
	if err != nil {
		tracetest.Missing(t, err.Error())
	}
	t.Cleanup(func() { os.WriteFile(file, old, 0o644) })
}

// move makes a call, or sends a segment.
func (s *stage) move(words []string) {
	s.t.Helper()
	buffer := make([]byte, 100)
	var peer sys.Sockaddr
	last := 0
	if n := len(s.accepted); n > 0 {
		last = s.accepted[n-1]
	}
	await := func(fd int) {
		tracetest.Await(s.t, strings.Join(words, " ")+" not to wait", func() bool { return ready(fd, unix.POLLIN) })
	}
	switch words[0] {
	case "accept":
		await(s.listening)
		s.accepted = append(s.accepted, s.must(s.tracer.Accept(s.listening, &peer)))
	case "read":
		await(last)
		s.tracer.Read(last, buffer)
	case "write":
		s.tracer.Write(last, buffer[:33])
	case "shutdown":
		s.must(0, s.tracer.Shutdown(last, unix.SHUT_WR))
	case "close":
		if len(words) > 1 {
			s.must(0, s.tracer.Close(s.listening))
			s.listening = -1
			return
		}
		s.must(0, s.tracer.Close(last))
		s.accepted = s.accepted[:len(s.accepted)-1]
	default:
		s.send(words)
	}
}

var flagsOf = map[string]wire.Flags{"SYN": wire.SYN, "ACK": wire.ACK, "DATA": wire.PSH | wire.ACK, "FIN": wire.FIN | wire.ACK,
	"FINONLY": wire.FIN, "RST": wire.RST | wire.ACK}

// send sends a segment of a peer's.
func (s *stage) send(words []string) {
	s.t.Helper()
	p := s.peers[words[0]]
	if p == nil {
		p = s.tunnel.NewPeer(40000+uint16(words[0][0]), s.server)
		s.peers[words[0]] = p
		s.names = append(s.names, words[0])
	}
	seq, ack, n := 0, 0, 0
	for _, word := range words[2:] {
		switch number, _ := strconv.Atoi(strings.TrimLeft(word, "seqack")); {
		case word == "again":
			p.Next--
		case strings.HasPrefix(word, "seq"):
			seq = number
		case strings.HasPrefix(word, "ack"):
			ack = number
		default:
			n = number
		}
	}
	if words[1] == "FINONLY" {
		seq = 1 << 16 // it is not to be counted
		p.Next -= 1 << 16
		defer func() { p.Next += 1 << 16 }()
	}
	p.Send(flagsOf[words[1]], seq, ack, n)
}

// compare compares the last state that was drawn for each connection with what ss
// shows.
func (s *stage) compare(move string) {
	s.t.Helper()
	for i, name := range s.names {
		p := s.peers[name]
		var shown string
		tracetest.Await(s.t, "a moment without a segment", func() bool {
			s.look()
			before := s.arrows.segments()
			output, err := exec.Command(s.ss, "-tanH", "src", s.server.String(), "dst", p.Addr.String()).Output()
			if err != nil {
				s.t.Fatal(err)
			}
			shown = ""
			if f := strings.Fields(string(output)); len(f) > 0 {
				shown = ssState[f[0]]
			}
			s.look()
			return s.arrows.segments() == before
		})
		drawn := s.arrows.of(p.Addr, i+1)
		last := ""
		if len(drawn) > 0 {
			last = drawn[len(drawn)-1]
		}
		if last == "CLOSED" {
			last = ""
		}
		if last != shown {
			s.t.Errorf("after %q the server's end with %v is drawn as %q, and ss shows %q", move, p.Addr, last, shown)
		}
	}
}

// look has the tracer look at what has come: it does before and after each call, but, if
// the kernel is not asked, may keep that for later.
func (s *stage) look() {
	var local sys.Sockaddr
	s.tracer.Getsockname(max(s.listening, 0), &local)
	if !s.asked {
		s.tracer.Look()
	}
}
