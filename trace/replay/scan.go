package replay

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"

	"lbaws/trace/event"
	"lbaws/trace/order"
	"lbaws/trace/others"
	"lbaws/trace/strace"
)

// step is a line of a recording that is drawn: a call on a TCP socket, the beginning or
// the rest of one, or the end of a program that has some.
type step struct {
	of       *file
	at       int64 // when the line was written, by the file's clock
	process  *process
	thread   int
	call     *others.Call         // nil if a program ends
	text     []byte               // what the line has behind the call's name; of a program's end: how it has ended
	begins   *step                // of the rest of a call: its beginning
	socket   *socket              // that the call is about; nil if it is about several, or none
	made     *socket              // that it has made
	ended    []*socket            // to which no descriptor leads since, although no close says so
	kept     []*socket            // that others keep when a program ends
	number   int                  // of the call, when it is drawn
	waits    bool                 // whether it is a write that has waited
	shared   bool                 // of a close: whether other descriptors lead to the socket
	resets   bool                 // or whether it sends a RST in any case
	atOnce   bool                 // whether it does not wait
	line     int                  // of the recording
	fd       int                  // that a close is given
	into     bool                 // of splice: whether the socket is what the bytes go into
	unclear  bool                 // of a close: whether it is not known if other descriptors lead to the socket
	doubtful bool                 // whether it is not known yet that it is about a TCP socket
	signal   *strace.Interruption // by which it was interrupted; nil if by none
	mistaken bool                 // whether it failed because its descriptor leads to no socket: then socket is the one to which that has led, or nil
}

// scan reads a recording's lines. It follows what each descriptor leads to, and so finds
// those that are drawn.
type scan struct {
	*processes
	file    *file
	number  int // of the line in hand, in the file
	clock   strace.Timeline
	begun   map[int]*step // calls that have not returned and are drawn, by thread
	args    [][]byte      // of the call in hand, one by one
	signals strace.Signals
}

// take reads a line, which was written at some time.
func (s *scan) take(l *strace.Line, text []byte, at int64) {
	s.lines++
	s.number++
	if l.Thread == 0 {
		l.Thread = s.file.Process
	}
	s.signals.Take(l)
	switch l.Kind {
	case strace.NotStraces:
		s.file.Problem(errNotStraces, s.number)
	case strace.Remark:
		var thread int
		if _, err := fmt.Sscanf(string(bytes.TrimPrefix(text, []byte("strace: "))), "Process %d attached", &thread); err == nil {
			s.attached[thread] = true
		}
	case strace.Exited:
		s.exit(l, at)
	case strace.Resumed:
		s.resumed(l, at)
	case strace.Call:
		s.called(l, at)
	}
}

// exit reads the end of a thread.
func (s *scan) exit(l *strace.Line, at int64) {
	if pid, found := bytes.CutPrefix(l.Text, []byte("superseded by execve in pid ")); found {
		other := strace.Number(pid)
		s.begun[l.Thread] = s.begun[other]
		delete(s.begun, other)
		s.becomes(other, l.Thread)
		return
	}
	delete(s.begun, l.Thread)
	if !strace.Printable(l.Text) {
		s.file.Problem(strace.ErrNotPrintable, s.number)
		return
	}
	if p, ended, kept := s.exits(l.Thread); len(ended)+len(kept) > 0 {
		s.add(&step{of: s.file, at: at, process: p, text: l.Text, ended: ended, kept: kept})
	}
}

// add adds a step.
func (s *scan) add(added *step) {
	s.file.steps = append(s.file.steps, added)
	s.steps = append(s.steps, added)
}

// called reads a call, or its beginning.
func (s *scan) called(l *strace.Line, at int64) {
	c, p := others.Named(string(l.Name)), s.of(l.Thread, false)
	if c != nil && c.Effect == others.Execs && p.since == s.lines && p.parent == nil {
		p.whole = true // strace has started it
	}
	if c != nil && c.Effect == others.Execs {
		p.executes(l.Text)
	}
	if c != nil && c.Effect == event.Makes && bytes.HasPrefix(l.Text, []byte("0x")) {
		s.file.Problem(errNumbers, s.number)
	}
	if c == nil || !s.mayConcern(p, l, c) {
		s.leaves(p, l, c)
		return
	}
	rest, err := l.Parse(s.args[:0])
	if err != nil {
		s.file.Problem(err, s.number)
		return
	}
	s.args = rest.List
	b := &step{of: s.file, at: at, line: s.lines, process: p, thread: l.Thread, call: c, text: l.Text}
	isDrawn := s.begins(b, &rest)
	if isDrawn && !rest.Unfinished {
		s.returns(b, &rest)
	}
	if b.doubtful = !isDrawn && rest.Unfinished && (c.Effect == event.Accepts && !strace.ParseNote(s.arg(0)).Is || s.mayMistake(p.last(), l, c)); b.doubtful {
		isDrawn = true
	}
	if !isDrawn {
		s.leaves(p.last(), l, c)
		return
	}
	if s.add(b); rest.Unfinished {
		s.begun[l.Thread] = b
	} else {
		s.interrupted(b, &rest)
	}
}

// resumed reads the rest of a call.
func (s *scan) resumed(l *strace.Line, at int64) {
	begun := s.begun[l.Thread]
	if begun == nil && isFork(l.Name) { // of a thread that had no number before, or that has no sockets
		s.of(l.Thread, true)
		begun = s.begun[0]
		delete(s.begun, 0)
	}
	delete(s.begun, l.Thread)
	if begun == nil {
		if bytes.HasSuffix(l.Name, []byte("msg")) {
			s.passes(s.of(l.Thread, true), l)
		}
		s.accepted(l, at)
		return
	}
	whole := joined(begun.text, l.Text)
	rest, err := whole.Parse(s.args[:0])
	if begun.call.Name != string(l.Name) {
		err = errNotStraces
	}
	if err != nil {
		s.file.Problem(err, s.number)
		return
	}
	s.args = rest.List
	if begun.doubtful {
		begun.process = begun.process.last()
		begun.socket = s.adopted(begun.process, begun.call)
		begun.doubtful = begun.socket == nil && !s.mistakes(begun, begun.process, &rest)
	}
	if begun.doubtful {
		return
	}
	now := *begun
	now.at, now.thread, now.text, now.begins = at, l.Thread, whole.Text, begun
	s.returns(&now, &rest)
	begun.waits = begun.call.Effect == event.Writes && !begun.atOnce && rest.Value > order.SureRoom
	if !order.DrawnInTwo(begun.call.Does) && !begun.waits {
		begun.text, begun.socket, begun.made = now.text, now.socket, now.made
		return
	}
	s.interrupted(&now, &rest)
	s.add(&now)
}

// interrupted notes that a signal may have interrupted a call.
func (s *scan) interrupted(b *step, rest *strace.Rest) {
	wrote := b.call.Does == event.Write && rest.Value >= 0 && len(rest.List) > 2 && rest.Value < strace.Number(rest.List[2])
	b.signal = s.signals.Returned(b.thread, rest, wrote)
}

// accepted reads the rest of a call of which the recording does not have the beginning, if that has
// accepted a TCP connection. What it was given is not known: "..." stands for it, and the socket
// that listens is the process's only one on the port, if that is known.
func (s *scan) accepted(l *strace.Line, at int64) {
	c := others.Named(string(l.Name))
	if c == nil || c.Effect != event.Accepts {
		return
	}
	whole := strace.Line{Kind: strace.Call, Text: slices.Concat([]byte("..., "), bytes.TrimLeft(l.Text, " ,"))}
	rest, err := whole.Parse(s.args[:0])
	if err != nil {
		s.file.Problem(err, s.number)
		return
	}
	s.args = rest.List
	made := strace.ParseNote(rest.Result)
	if _, isInet := strace.ParseSockaddr(s.arg(1)); rest.Value < 0 || !isInet && !made.TCP {
		return
	}
	p := s.of(l.Thread, false)
	p.serves = true
	b := &step{of: s.file, at: at, line: s.lines, process: p, thread: l.Thread, call: c, text: whole.Text, socket: s.listening(p, made.Ends.Local)}
	s.returns(b, &rest)
	s.add(b)
}

// listening returns the socket of a process that listens at an address, which may not be known; a
// new one if it is not known to have one.
func (s *scan) listening(p *process, at netip.AddrPort) *socket {
	const most = 64 // descriptors to look at
	var found []*socket
	for _, d := range p.open {
		if len(p.open) > most {
			break
		}
		listens := d.socket.role == servers && !d.socket.accepted
		if listens && (at.Port() == 0 || d.socket.port == at.Port()) && !slices.Contains(found, d.socket) {
			found = append(found, d.socket)
		}
	}
	if len(found) == 1 {
		return found[0]
	}
	listens := s.create(servers)
	listens.ends.Local, listens.port = at, at.Port()
	return listens
}

// joined returns a call as it would stand in one line, of which the first line has been
// cut off and the second has the rest.
func joined(first, second []byte) strace.Line {
	beginning := strace.Line{Kind: strace.Call, Text: first}
	begun, _ := beginning.Parse(nil)
	if second = bytes.TrimLeft(second, " "); !bytes.HasSuffix(begun.Args, []byte(" ")) && !bytes.HasPrefix(second, []byte(",")) {
		begun.Args = append(slices.Clip(begun.Args), ' ')
	}
	second = bytes.TrimPrefix(second, []byte("<unfinished ...>")) // a thread was killed in the call
	return strace.Line{Kind: strace.Call, Text: slices.Concat(begun.Args, second)}
}
