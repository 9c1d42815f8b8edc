//go:build darwin || freebsd || netbsd || openbsd

package turns

import (
	"time"

	"lbaws/sys"
)

// thread is a thread of this process. This platform does not say what it is
// blocked in.
type thread struct{}

func thisThread() thread { return thread{} }

// awaitCall waits for a tenth of a second, in which the thread gets there.
func (thread) awaitCall(uint64) { sys.Unix{}.Nanosleep(100 * time.Millisecond) }
