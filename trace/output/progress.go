package output

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Progress says on a terminal how much of recordings of so many bytes was read or drawn,
// of whole bytes or steps: on a line of standard error. add adds to it, and end erases the
// line. It says nothing of short recordings, nor where a picture is being drawn on the same
// screen.
func Progress(doing string, size, whole int, onScreen bool) (add func(n int), end func()) {
	const long = 16 << 20
	if size < long || !IsTerminal(unix.Stderr) || onScreen && IsTerminal(unix.Stdout) {
		return func(int) {}, func() {}
	}
	done, told := 0, 0
	add = func(n int) {
		if done += n; done-told >= whole/100 {
			told = done
			fmt.Fprintf(os.Stderr, "\r%s: %d %%", doing, done*100/whole)
		}
	}
	return add, func() {
		if told > 0 {
			fmt.Fprint(os.Stderr, "\r\x1b[K")
		}
	}
}
