package strace

import "bytes"

// Interruption is what a recording's lines say of a call that a signal has interrupted.
type Interruption struct {
	Signal  string // "" as long as none has come
	Handled bool   // whether its handler has returned: only then is it known what became of the call
	Again   bool   // whether the kernel makes the call again then

	open   bool // whether the call's own line does not say what it has returned
	goesOn bool // whether the thread has another line behind that of the signal
}

// Signals has the last call of a thread, if a signal may have interrupted it.
type Signals map[int]*Interruption

// Returned takes the return of a call, and returns what will be known of it when other lines have
// come; nil if no signal has interrupted it. wrote says that it has written a part of its bytes.
func (s Signals) Returned(thread int, r *Rest, wrote bool) *Interruption {
	i := &Interruption{open: bytes.HasPrefix(r.Result, []byte("? ERESTART"))}
	if !i.open && r.Errno != "EINTR" && !wrote {
		return nil
	}
	s[thread] = i
	return i
}

// Take takes another line of a thread: that of the signal stands behind its call, and the handler
// ends with sigreturn, whose result is what the program goes on with. If another signal comes before
// that, it is not known which handler's end it is.
//
// Source: sigreturn(2).
func (s Signals) Take(l *Line) {
	i := s[l.Thread]
	switch {
	case i == nil:
	case l.Kind == Signal && i.Signal == "" && Printable(l.Text):
		i.Signal = string(l.Text)
	case l.Kind == Exited && !i.goesOn: // the signal has killed it
		i.Signal = ""
	case l.Kind == Signal, i.Signal == "":
		delete(s, l.Thread)
	case bytes.HasSuffix(l.Name, []byte("sigreturn")):
		if r, err := l.Parse(nil); err == nil && !r.Unfinished {
			i.Handled, i.Again = true, i.open && r.Errno != "EINTR"
			delete(s, l.Thread)
		}
	default:
		i.goesOn = true
	}
}
