package replay

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"lbaws/trace/output"
)

// progress says on a terminal how much of long recordings was read or drawn: on a line
// of standard error, which it erases.
type progress struct {
	doing string
	whole int // 0 if it says nothing
	done  int // of it
	told  int // of that
}

// newProgress returns the progress of reading or drawing recordings of so many bytes: of
// bytes or steps, in whole. It says nothing of short recordings, nor where a picture is
// being drawn on the same screen.
func newProgress(doing string, size, whole int, onScreen bool) *progress {
	const long = 16 << 20
	if size < long || !output.IsTerminal(unix.Stderr) || onScreen && output.IsTerminal(unix.Stdout) {
		whole = 0
	}
	return &progress{doing: doing, whole: whole}
}

// add says that so much more was done.
func (p *progress) add(n int) {
	p.done += n
	if p.whole == 0 || p.done-p.told < p.whole/100 {
		return
	}
	p.told = p.done
	fmt.Fprintf(os.Stderr, "\r%s: %d %%", p.doing, p.done*100/p.whole)
}

// end erases the line.
func (p *progress) end() {
	if p.told > 0 {
		fmt.Fprint(os.Stderr, "\r\x1b[K")
	}
}
