package sockets_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/trace/event"
	"lbaws/trace/layout"
	"lbaws/trace/output"
	"lbaws/trace/screen"
	"lbaws/trace/tracer"
	"lbaws/trace/tracetest"
)

func TestMain(m *testing.M) { tracetest.Main(m) }

var schedules = flag.Int("schedules", 3, "how many random schedules TestSocketsEqualSS follows")

var first = flag.Int("first", 0, "the first of them")

// TestSocketsEqualSS: after every step of a server and of three clients that
// connect, send, half-close, close and reset at random, the rows of -sockets
// together say what ss says at that moment.
func TestSocketsEqualSS(t *testing.T) {
	ss := tracetest.Need(t, "ss", "iproute2")
	tracetest.Long(t)
	tracetest.NeedMapped(t)
	addresses := []string{"127.0.0.1:", "[::1]:", "[::ffff:127.0.0.1]:"}
	for seed := *first; seed < *first+*schedules; seed++ {
		p := newPlay(t, ss, addresses[seed%len(addresses)]+unusedPort(t, ss), uint64(seed))
		for step := range 30 {
			p.move()
			p.compare()
			if t.Failed() {
				t.Fatalf("schedule %d, step %d: after %s\n%s", seed, step, p.moves, p.words.all)
			}
		}
		p.end()
	}
}

// words is a format that keeps what the diagram says of each socket.
type words struct {
	*screen.Diagram
	all  string
	say  map[ends]*saying
	next []ends // whose rows come next
	t    *testing.T
}

// Sockets fails the test: the kernel can be asked.
func (w *words) Sockets(err error) { w.t.Error(err) }

// unusedPort returns a port of which ss shows no socket: also none in TIME_WAIT that an earlier
// client had, to which the kernel might give that port.
func unusedPort(t *testing.T, ss string) string {
	for {
		port := tracetest.FreePort(t)
		output, err := exec.Command(ss, "-tanH", fmt.Sprintf("sport = :%s or dport = :%s", port, port)).Output()
		if err != nil {
			t.Fatal(err)
		}
		if len(output) == 0 {
			return port
		}
	}
}

// ends names a socket as ss does.
type ends struct{ local, remote netip.AddrPort }

// saying is what the rows so far say of a socket, in the words of ss.
type saying struct {
	state         string
	receive, send int
}

// Append notes whose row comes next. It may be held back until a call has returned.
func (w *words) Append(b []byte, m *event.Moment) []byte {
	if m.What == event.Changed {
		w.next = append(w.next, ends{m.Change.Local, m.Change.Remote})
	}
	return w.read(w.Diagram.Append(b, m))
}

// read reads the rows of a text.
func (w *words) read(text []byte) []byte {
	w.all += string(text)
	for line := range strings.Lines(string(text)) {
		if _, row, isRow := strings.Cut(line, "▪ "); isRow {
			w.hear(w.next[0], strings.TrimSpace(row))
			w.next = w.next[1:]
		}
	}
	return text[:0]
}

var (
	holder  = regexp.MustCompile(`^(#\d+ )?(\d+: |\d+'s connection: |no descriptor yet: |no descriptor any more: )?`)
	queue   = regexp.MustCompile(`^accept queue (\d+) of (\d+)$`)
	counted = regexp.MustCompile(`^(?:(\d+) bytes?)?(?: and )?(the (?:FIN|SYN))? ?(unread|not acknowledged)$`)
	aState  = regexp.MustCompile(`^[A-Z_12]+$`)
)

// hear understands a row.
func (w *words) hear(socket ends, row string) {
	said := w.say[socket]
	if said == nil {
		said = &saying{}
		w.say[socket] = said
	}
	for part := range strings.SplitSeq(holder.ReplaceAllString(row, ""), ", ") {
		if m := queue.FindStringSubmatch(part); m != nil {
			said.receive, _ = strconv.Atoi(m[1])
			said.send, _ = strconv.Atoi(m[2])
		} else if m := counted.FindStringSubmatch(part); m != nil {
			n, _ := strconv.Atoi(m[1])
			if m[2] != "" {
				n++
			}
			if m[3] == "unread" {
				said.receive = n
			} else {
				said.send = n
			}
		} else if aState.MatchString(part) {
			*said = saying{state: part}
		}
	}
	if said.state == "CLOSED" || strings.Contains(row, "TIME_WAIT is over") {
		delete(w.say, socket) // ss shows none of these
	}
}

// play is a server and its clients, whose calls the test makes one by one.
type play struct {
	t      *testing.T
	ss     string
	random *rand.Rand
	words  *words
	tracer *tracer.Tracer
	server netip.AddrPort

	listening int
	accepted  []int // connected sockets of the server's
	clients   []int
	moves     []string
}

func newPlay(t *testing.T, ss, address string, seed uint64) *play {
	t.Helper()
	w := &words{Diagram: screen.NewDiagram(layout.Columns{}, 400, false), say: map[ends]*saying{}, t: t}
	p := &play{t: t, ss: ss, random: rand.New(rand.NewPCG(seed, 1)), words: w}
	p.begin(w, tracer.Wants{Sockets: true}, netip.MustParseAddrPort(address), 1)
	return p
}

// begin makes the calls of a server that starts.
func (p *play) begin(format event.Format, wants tracer.Wants, address netip.AddrPort, backlog int) {
	p.t.Helper()
	out, err := output.Create(filepath.Join(p.t.TempDir(), "trace"), func(err error) { p.t.Error(err) })
	if err != nil {
		p.t.Fatal(err)
	}
	p.tracer = tracer.New(sys.Unix{}, tracer.Sink{Format: format, Output: out})
	p.tracer.Show(wants)
	p.listening = p.must(p.tracer.Socket(sys.Family(address), unix.SOCK_STREAM, 0))
	p.must(0, p.tracer.Bind(p.listening, address))
	p.must(0, p.tracer.Listen(p.listening, backlog))
	p.server = p.name(p.listening)
}

func (p *play) must(fd int, err error) int {
	p.t.Helper()
	if err != nil {
		p.t.Fatalf("after %s: %v", p.moves, err)
	}
	return fd
}

func (p *play) name(fd int) netip.AddrPort {
	var local sys.Sockaddr
	p.must(0, (sys.Unix{}).Getsockname(fd, &local))
	return local.AddrPort()
}

// ready reports whether a call on fd would not wait.
func ready(fd int, event int16) bool {
	n, _ := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: event}}, 0)
	return n > 0
}

// move makes one call of the server's or of a client's that does not wait.
func (p *play) move() {
	var peer sys.Sockaddr
	buffer := make([]byte, 1+p.random.IntN(100))
	note := func(format string, args ...any) { p.moves = append(p.moves, fmt.Sprintf(format, args...)) }
	if p.random.IntN(2) == 0 { // the server's
		switch n := p.random.IntN(6); {
		case n < 2 && ready(p.listening, unix.POLLIN):
			fd := p.must(p.tracer.Accept(p.listening, &peer))
			note("accept = %d", fd)
			p.accepted = append(p.accepted, fd)
		case len(p.accepted) == 0:
		case n == 2 && ready(p.accepted[0], unix.POLLIN):
			got, err := p.tracer.Read(p.accepted[0], buffer)
			note("read(%d, %d) = %d, %v", p.accepted[0], len(buffer), got, err)
		case n == 3 && ready(p.accepted[0], unix.POLLOUT):
			_, err := p.tracer.Write(p.accepted[0], buffer)
			note("write(%d, %d) %v", p.accepted[0], len(buffer), err)
		case n == 4:
			note("half-close %d: %v", p.accepted[0], p.tracer.Shutdown(p.accepted[0], unix.SHUT_WR))
		case n == 5:
			note("close %d", p.accepted[0])
			p.must(0, p.tracer.Close(p.accepted[0]))
			p.accepted = p.accepted[1:]
		}
		return
	}
	if len(p.clients) < 3 && p.random.IntN(3) == 0 {
		client := netip.AddrPortFrom(p.server.Addr().Unmap(), p.server.Port())
		fd := p.must((sys.Unix{}).Socket(sys.Family(client), unix.SOCK_STREAM, 0))
		p.must(0, unix.SetNonblock(fd, true))
		note("client %d connects: %v", fd, (sys.Unix{}).Connect(fd, client))
		p.clients = append(p.clients, fd)
		return
	}
	if len(p.clients) == 0 {
		return
	}
	i := p.random.IntN(len(p.clients))
	fd := p.clients[i]
	switch p.random.IntN(6) {
	case 0, 1:
		n, err := (sys.Unix{}).Write(fd, buffer)
		note("client %d sends %d, %v", fd, n, err)
	case 2:
		n, err := (sys.Unix{}).Read(fd, buffer)
		note("client %d reads %d, %v", fd, n, err)
	case 3:
		note("client %d half-closes: %v", fd, unix.Shutdown(fd, unix.SHUT_WR))
	case 4:
		unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
		fallthrough
	case 5:
		note("client %d closes or resets", fd)
		unix.Close(fd)
		p.clients = append(p.clients[:i:i], p.clients[i+1:]...)
	}
}

// look has the tracer ask the kernel: it does after each call.
func (p *play) look() {
	var local sys.Sockaddr
	p.must(0, p.tracer.Getsockname(p.listening, &local))
}

// compare compares what the rows say with what ss says, at a moment in which
// nothing changes. A socket that nothing has announced is late by up to ten times as long as
// it took to ask for all of them: long, if this thread had to wait for a processor then.
func (p *play) compare() {
	p.t.Helper()
	var differences []string
	for late := time.Now().Add(tracetest.Patience); time.Now().Before(late); {
		p.look()
		before := strings.Count(p.words.all, "▪")
		port := p.server.Port()
		output, err := exec.Command(p.ss, "-tanH", fmt.Sprintf("sport = :%d or dport = :%d", port, port)).Output()
		if err != nil {
			p.t.Fatal(err)
		}
		differences = p.differences(string(output))
		p.look()
		if strings.Count(p.words.all, "▪") == before && len(differences) == 0 {
			return
		}
	}
	p.t.Errorf("%s", strings.Join(differences, "\n"))
}

// differences are those between what the rows say and what ss printed.
func (p *play) differences(printed string) []string {
	var list []string
	left := len(p.words.say)
	for line := range strings.Lines(printed) {
		f := strings.Fields(line)
		socket := ends{ssAddress(f[3]), ssAddress(f[4])}
		if socket.local != plain(p.server) && socket.remote != plain(p.server) {
			continue // another schedule's, with the same port
		}
		said := p.words.say[socket]
		if said == nil {
			list = append(list, "nothing is said of "+line)
			continue
		}
		left--
		if got := fmt.Sprint(said.receive, said.send); ssState[f[0]] != said.state || got != f[1]+" "+f[2] {
			list = append(list, fmt.Sprintf("said of it: %s %s; ss: %s", said.state, got, line))
		}
	}
	if left != 0 {
		list = append(list, fmt.Sprintf("%d sockets more are said to be than ss shows:\n%s", left, printed))
	}
	return list
}

var ssState = map[string]string{"LISTEN": "LISTEN", "ESTAB": "ESTABLISHED", "SYN-SENT": "SYN_SENT", "SYN-RECV": "SYN_RCVD",
	"FIN-WAIT-1": "FIN_WAIT_1", "FIN-WAIT-2": "FIN_WAIT_2", "CLOSE-WAIT": "CLOSE_WAIT", "CLOSING": "CLOSING",
	"LAST-ACK": "LAST_ACK", "TIME-WAIT": "TIME_WAIT"}

// ssAddress reads an address as ss writes it, with * for any port.
func ssAddress(text string) netip.AddrPort {
	if text == "*:*" {
		text = "[::]:0"
	}
	text = strings.Replace(text, ":*", ":0", 1)
	return plain(netip.MustParseAddrPort(text))
}

// plain is an address without what a mapped one has.
func plain(addr netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port())
}

func (p *play) end() {
	for _, fd := range append(append(p.clients, p.accepted...), p.listening) {
		unix.Close(fd)
	}
	p.tracer.End()
}
