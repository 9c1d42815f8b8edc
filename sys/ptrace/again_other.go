//go:build linux && !amd64

package ptrace

// makeAgain does nothing: how a call is made again is known for x86-64 alone.
func (t *Thread) makeAgain() {}
