package turns

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// isShared reports whether another program has a descriptor of the same socket.
func (s *Stage) isShared(p *program, fd int) bool {
	target := func(thread, fd int) string {
		var link [64]byte
		n, _ := unix.Readlink(fmt.Sprintf("/proc/self/task/%d/fd/%d", thread, fd), link[:])
		return string(link[:max(0, n)])
	}
	socket := target(p.caller.Thread, fd)
	for _, other := range s.programs {
		if other.puppet == nil || other == p || !strings.HasPrefix(socket, "socket:") || s.stateOf(other) == over {
			continue
		}
		for _, theirs := range other.puppet.sockets {
			if target(other.caller.Thread, theirs) == socket {
				return true
			}
		}
	}
	return false
}
