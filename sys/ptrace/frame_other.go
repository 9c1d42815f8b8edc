//go:build linux && !amd64

package ptrace

// Frame returns 0: which register points to a function's frame is known for x86-64 alone.
func (t *Thread) Frame() uint64 { return 0 }

// What a signal's handler returns to is known for x86-64 alone, too.
const knowsFrames = false

func (t *Thread) callsAgain() bool { return false }
