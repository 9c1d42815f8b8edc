package mistakes

import (
	"fmt"
	"slices"

	"lbaws/trace/event"
)

// interrupted is the rule on what a program does after EINTR. What that leads to, such as a close
// that throws bytes away, comes after it.
var interrupted = []*Rule{
	{Name: "interrupted", when: begins, shows: func(w *Watch, m *event.Moment) string {
		e := m.Event
		own, d := w.of(e), w.doing(e)
		name := ""
		switch {
		case own != nil && own.interrupted != "" && e.Call.Does == event.Writes && own.interrupted != e.Name():
			name = own.interrupted
		case own != nil && own.accepted && !own.mayEnd && e.Call.Does == event.Closes:
			name = own.interrupted
		case e.Call.Does == event.Accepts: // or else the signal was to end the program
			name = d.gaveUp
		}
		if name == "" {
			return ""
		}
		return fmt.Sprintf("%s has failed with EINTR: a signal came, and the connection was as before; unless the signal was to end the wait, the call can be made again", name)
	}},
}

// isToEnd reports whether the signal that has interrupted a call may have been sent to end the program,
// or what it does: those of timers and of children are not.
func isToEnd(e *event.Event) bool {
	return e.Recorded == nil || !slices.Contains([]string{"SIGALRM", "SIGVTALRM", "SIGPROF", "SIGCHLD", "SIGWINCH"}, e.Recorded.Signal)
}
