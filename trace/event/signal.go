package event

import (
	"bytes"

	"golang.org/x/sys/unix"
)

// NeverReturned reports whether a signal has ended the call before it had a result, as far as is
// known. Strace writes a question mark also where the program gets EINTR.
func (e *Event) NeverReturned() bool { return e.hasNoResult() && !e.FailsBySignal() }

func (e *Event) hasNoResult() bool {
	return e.Recorded != nil && len(e.Recorded.Result) > 0 && e.Recorded.Result[0] == '?'
}

// FailsBySignal reports whether the program gets EINTR where strace writes a question mark.
func (e *Event) FailsBySignal() bool {
	return e.hasNoResult() && e.Recorded.Handled && !e.Recorded.Again
}

// IsMadeAgain reports whether the kernel makes the call again, which a signal has interrupted.
func (e *Event) IsMadeAgain() bool { return e.Recorded != nil && e.Recorded.Again }

// IsCutShort reports whether a signal has ended a write that had written a part.
func (e *Event) IsCutShort() bool {
	return e.Call.Does == Writes && e.IsOthers() && e.Recorded.Signal != "" && !e.Failed() && e.Moved() < e.Args[2].Int
}

// Signal says which signal has interrupted the call, and what became of that, as far as it is known; ""
// if none has.
//
// Source: signal(7), "Interruption of system calls and library functions by signal handlers".
func (e *Event) Signal() string {
	r := e.Recorded
	switch {
	case r == nil || r.Signal == "":
		return ""
	case r.Again && !r.Handled:
		return r.Signal + " has come, and has no handler: " + e.Name() + " is made again"
	case e.NeverReturned() && !r.Handled:
		return r.Signal + " has come"
	}
	does, flag := " returns", ", as it was installed without SA_RESTART"
	if r.Again {
		does, flag = " is made again", ", as it was installed with SA_RESTART"
	} else if e.Errno == unix.EINTR {
		does = " fails"
	}
	text := r.Signal + " has come: " + e.Name() + does
	if r.Handled {
		text += " when the handler has returned"
	}
	if bytes.HasPrefix(r.Result, []byte("? ERESTARTSYS")) {
		text += flag
	}
	return text
}
