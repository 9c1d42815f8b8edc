package live

import (
	"fmt"
	"path/filepath"

	"lbaws/trace/live/source"
	"lbaws/trace/strace"
)

// setPlace finds the line of the program's own source that makes a call, if that is wanted.
func (w *watcher) setPlace(c *call) {
	if w.lines == nil {
		return
	}
	t := c.thread
	registers := source.Registers{IP: t.Call.IP, SP: t.Call.SP, BP: t.Frame()}
	c.place, _ = w.lines.Caller(t.Process.ID, registers, t)
}

// forgetLines forgets what a process's lines are: it has ended, or is another program.
func (w *watcher) forgetLines(process int) {
	if w.lines != nil {
		w.lines.Forget(process)
	}
}

// placeText is where a call is made, for the panel: "   server.c:24".
func (c *call) placeText() string {
	if c.place.Line == 0 {
		return ""
	}
	name := filepath.Base(c.place.File)
	if !strace.Printable([]byte(name)) { // the program's own text may be anything
		name = "?"
	}
	return fmt.Sprintf("   %s:%d", name, c.place.Line)
}
