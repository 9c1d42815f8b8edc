package live

import (
	"lbaws/sys/ptrace"
	"lbaws/trace/strace/spell"
)

// Become makes this process the program that Run is about to start, if it is one that Run has
// made for that; or else it does nothing. If that fails, it returns the exit status, too.
func Become() (status int, err error) {
	if !ptrace.IsStarter() {
		return 0, nil
	}
	calls := make(map[uint32][]uint32)
	for _, arch := range ptrace.Architectures() {
		calls[arch] = spell.Numbers(arch)
	}
	return ptrace.Become(calls)
}
