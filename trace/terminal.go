package trace

import (
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
)

// paperWidth is how wide a diagram is that goes to no terminal.
const paperWidth = 100

// newDiagramOn returns a Diagram for an output. On a terminal it is as wide as
// the terminal, also when that changes, and in colour unless the user does not
// want that.
func newDiagramOn(out *Output, columns Columns) *Diagram {
	width, terminal := out.Terminal()
	if !terminal {
		return NewDiagram(columns, paperWidth, false)
	}
	d := NewDiagram(columns, width, os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb")
	changes := make(chan os.Signal, 1)
	// A program that was stopped may have missed the first of them.
	signal.Notify(changes, unix.SIGWINCH, unix.SIGCONT)
	go d.follow(out, changes)
	return d
}

// follow gives the diagram the terminal's width, now and at each signal that it
// may have changed. The signals go to other threads than the server's (see
// sys.BlockSignals).
func (d *Diagram) follow(out *Output, changes <-chan os.Signal) {
	for {
		if width, terminal := out.Terminal(); terminal {
			d.Resize(width)
		}
		<-changes
	}
}
