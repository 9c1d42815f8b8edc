package draw

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// progress says on a terminal how much of long recordings was read: on a line of standard
// error, which it erases.
type progress struct {
	doing string
	whole int // in bytes
	told  int // of them
	shown bool
}

// newProgress returns the progress of reading or drawing files. It says nothing of short
// ones, nor where a picture is being drawn on the same screen.
func newProgress(doing string, files []*file, onScreen bool) *progress {
	const long = 16 << 20
	p := &progress{doing: doing}
	for _, f := range files {
		p.whole += f.size
	}
	if p.whole < long || !isTerminal(unix.Stderr) || onScreen && isTerminal(unix.Stdout) {
		p.whole = 0
	}
	return p
}

func isTerminal(fd int) bool {
	_, err := unix.IoctlGetWinsize(fd, unix.TIOCGWINSZ)
	return err == nil
}

// at says that so many bytes were done.
func (p *progress) at(bytes int) {
	if p.whole == 0 || bytes-p.told < p.whole/100 {
		return
	}
	p.told, p.shown = bytes, true
	fmt.Fprintf(stderr{}, "\r%s: %d %%", p.doing, bytes*100/p.whole)
}

// end erases the line.
func (p *progress) end() {
	if p.shown {
		fmt.Fprint(stderr{}, "\r\x1b[K")
	}
}

// stderr is standard error without package os, with which a write to a closed pipe would
// end the process.
type stderr struct{}

func (stderr) Write(p []byte) (int, error) { return unix.Write(unix.Stderr, p) }
