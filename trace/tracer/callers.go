package tracer

import (
	"runtime"
	"strings"
)

// MainLine returns the line of main.go that makes the call in hand: the program's own,
// and not that of a Kernel in front of the trace. It is 0 if there is none.
func MainLine() int {
	var callers [32]uintptr
	frames := runtime.CallersFrames(callers[:runtime.Callers(1, callers[:])])
	for {
		frame, more := frames.Next()
		if strings.HasPrefix(frame.Function, "main.") {
			return frame.Line
		}
		if !more {
			return 0
		}
	}
}
