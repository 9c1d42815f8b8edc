package draw

import (
	"bytes"
	"strconv"

	"lbaws/trace"
	"lbaws/trace/recording"
)

// step is a line of a recording that is drawn: a call on a TCP socket, the beginning or
// the rest of one, or the end of a program that has some.
type step struct {
	offset  int   // where the line begins
	at      int64 // when it was written, by the file's clock
	process *process
	socket  *socket // that the call is about; nil if it is about several, or none
	made    *socket // that it has made
	begins  *step   // of the rest of a call: its beginning
	rest    int     // of the beginning of a call that is one row: where the line with its rest begins, or 0
	number  int     // of the call, when it is drawn
	waits   bool    // whether it is a write that has waited
	shared  bool    // of a close: whether other descriptors lead to the socket
	resets  bool    // or whether it sends a RST in any case
}

// scan is the first way through a recording. It follows what each descriptor leads to,
// and so finds the lines that are drawn.
type scan struct {
	*processes
	file  *file
	clock clock
	begun map[int]*step // calls that have not returned and are drawn, by thread
	now   step          // the one in hand
	args  [][]byte      // room
	whole []byte        // room

	others *lines // other lines than the one in hand
}

// line reads the line at an offset.
func (s *scan) line(offset int, text []byte) {
	s.lines++
	l := recording.ParseLine(text)
	at := step{offset: offset, at: s.clock.read(&l)}
	switch l.Kind {
	case recording.NotStraces:
		s.file.problem(errNotStraces, s.lines)
	case recording.Remark:
		s.remark(text)
	case recording.Exited:
		s.exit(&l, at)
	case recording.Resumed:
		s.resumed(&l, at)
	case recording.Call:
		s.call(&l, at)
	}
}

// remark notes a thread that strace has announced.
func (s *scan) remark(text []byte) {
	fields := bytes.Fields(text)
	if len(fields) == 4 && string(fields[1]) == "Process" && string(fields[3]) == "attached" && len(s.attached) < 1<<16 {
		if thread, err := strconv.Atoi(string(fields[2])); err == nil {
			s.attached[thread] = true
		}
	}
}

// exit reads the end of a thread.
func (s *scan) exit(l *recording.Line, at step) {
	if pid, found := bytes.CutPrefix(l.Text, []byte("superseded by execve in pid ")); found {
		other := number(pid)
		s.begun[l.Thread] = s.begun[other]
		delete(s.begun, other)
		s.becomes(other, l.Thread)
		return
	}
	delete(s.begun, l.Thread)
	if !recording.Printable(l.Text) {
		s.file.problem(recording.ErrNotPrintable, s.lines)
		return
	}
	p, ended := s.exits(l.Thread)
	if len(ended) > 0 {
		at.process = p
		s.file.add(at)
		s.file.ended[at.offset] = ended
	}
}

// call reads a call, or its beginning.
func (s *scan) call(l *recording.Line, at step) {
	c := calls[string(l.Name)]
	if at.process = s.known(l.Thread); c == nil || !s.mayConcern(at.process, l, c) {
		s.frees(at.process, l)
		s.file.leaveOut(l.Name)
		return
	}
	rest, err := l.Parse(s.args[:0])
	if err != nil {
		s.file.problem(err, s.lines)
		return
	}
	at.process = s.of(l.Thread, false)
	s.now = at
	s.args = rest.List
	b := reading{call: c, args: rest.Args, thread: l.Thread, step: &s.now}
	isDrawn := s.begins(&b)
	if rest.Unfinished && isFork(c.name) {
		s.forksUntil(l.Thread)
	}
	if !rest.Unfinished {
		s.returns(&b, &rest, isDrawn)
	}
	if !isDrawn {
		s.file.leaveOut(l.Name)
		return
	}
	added := s.file.add(s.now)
	if rest.Unfinished {
		s.begun[l.Thread] = added
	}
}

// resumed reads the rest of a call.
func (s *scan) resumed(l *recording.Line, at step) {
	begun := s.begun[l.Thread]
	if begun == nil && isFork(string(l.Name)) { // of a thread that had no number before, or that has no sockets
		s.of(l.Thread, true)
		begun = s.begun[0]
		delete(s.begun, 0)
	}
	delete(s.begun, l.Thread)
	rest, err := l.Parse(s.args[:0])
	switch {
	case err != nil:
		if begun != nil {
			s.file.problem(err, s.lines)
		}
		return
	case begun == nil && isFork(string(l.Name)):
		s.forked(l.Thread, rest.Value)
		return
	case begun == nil:
		return
	}
	beginning := recording.ParseLine(s.file.lineAt(begun.offset, &s.others))
	first, err := beginning.Parse(nil)
	if err != nil || string(beginning.Name) != string(l.Name) {
		s.file.problem(errNotStraces, s.lines)
		return
	}
	s.whole = joined(s.whole[:0], first.Args, rest.Args)
	at.process, at.socket, at.shared, at.resets, at.begins = begun.process, begun.socket, begun.shared, begun.resets, begun
	s.now = at
	b := reading{call: calls[string(l.Name)], args: s.whole, thread: l.Thread, step: &s.now}
	s.returns(&b, &rest, true)
	begun.waits = b.call.does.Name == "write" && rest.Value > trace.SureRoom
	if b.call.isOneRow() && !begun.waits {
		begun.rest, begun.socket, begun.made = at.offset, s.now.socket, s.now.made
		return
	}
	s.file.add(s.now)
}

// joined appends the arguments of a call that was cut off, and the others.
func joined(b, first, others []byte) []byte {
	b = append(b, first...)
	if !bytes.HasSuffix(first, []byte(" ")) {
		b = append(b, ' ')
	}
	return append(b, others...)
}
