// Package live shows the calls of other programs while they make them. At each call, it asks
// the kernel what the program's descriptors lead to, and tells the trace what happens.
package live

import (
	"errors"
	"net/netip"
	"time"

	"lbaws/trace/ask"
	"lbaws/trace/event"
	"lbaws/trace/part"
)

// Run is a run of other programs whose calls are traced.
type Run struct {
	programs [][]string // the first one and its clients, each with its arguments
	pid      int        // in place of them: the process that runs already; or 0
	private  bool       // whether the programs have a network of their own
	step     bool       // whether a person lets each call be made, with a key
	asks     bool       // whether that person is asked what it will do
	limit    int        // how many bytes of a buffer are shown at most
	inFile   bool       // whether the trace is written to a file
	more     bool       // whether more is wanted than what strace writes: whole buffers, and addresses that a program does not ask for
	lines    bool       // whether the lines of the programs' sources are wanted that make the calls
	trace    Trace
	from     part.From // with which call the person's steps begin
	left     func()    // ends this process when a signal asks to leave one that ran before
}

// errOtherSystem means that the system is not Linux.
var errOtherSystem = errors.New("run needs Linux: it follows other programs by its ptrace(2)")

// Trace is the trace of the programs' calls.
type Trace interface {
	// Began says that a call begins, and returns its event, for Returned.
	Began(e event.Event) *event.Event
	Returned(begun *event.Event, e event.Event)
	Exited(e *event.Exit)
	// Between says that a program is a server and a client at once, from now on, or where else it listens.
	Between(p *event.Proxy)
	// Serves says that a program listens on an address, or is about to.
	Serves(address netip.AddrPort)
	// Follows says that a process is one of the programs' from now on, or is no more.
	Follows(pid int, follows bool)
	// Look shows what has happened since the last call began or returned.
	Look()
	// SetPanel shows lines below the diagram, in place of those before.
	SetPanel(lines []string)
	// SetASCII draws the diagram in ASCII from now on.
	SetASCII()
	// Asker returns who asks what a call will do, or nil.
	Asker() *ask.Asker
	// Note shows what somebody else than a program has done, and when.
	Note(at time.Time, text string)
}
