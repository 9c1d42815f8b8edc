package screen

import (
	"os"
	"os/signal"

	"golang.org/x/sys/unix"

	"lbaws/trace/layout"
	"lbaws/trace/output"
)

// paperWidth is how wide a diagram is that goes to no terminal.
const paperWidth = 100

// NewDiagramOn returns a Diagram for an output. On a terminal it is as wide as
// the terminal, also when that changes, and in colour unless the user does not
// want that.
func NewDiagramOn(out *output.Stream, columns layout.Columns) *Diagram {
	width, _, terminal := out.Window()
	if !terminal {
		width = paperWidth
	}
	d := NewDiagram(columns, width, terminal && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb").On(out)
	if !terminal {
		return d
	}
	changes := make(chan os.Signal, 1)
	// A program that was stopped may have missed the first of them.
	signal.Notify(changes, unix.SIGWINCH, unix.SIGCONT)
	go d.follow(changes)
	return d
}

// follow gives the diagram the terminal's width, now and at each signal that it
// may have changed. The signals go to other threads than the server's (see
// process.BlockSignals).
func (d *Diagram) follow(changes <-chan os.Signal) {
	for {
		if width, _, terminal := d.out.Window(); terminal {
			d.Resize(width)
		}
		<-changes
	}
}
