package process

import (
	"slices"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// Group is some processes, by their numbers. Any thread may use it. The zero value is empty.
type Group struct {
	mu   sync.Mutex
	pids []int
}

// Add adds a process.
func (g *Group) Add(pid int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.pids = append(g.pids, pid)
}

// Remove takes a process out that has ended, or does nothing.
func (g *Group) Remove(pid int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.pids = slices.DeleteFunc(g.pids, func(other int) bool { return other == pid })
}

// Signal sends a signal to all of them.
func (g *Group) Signal(s syscall.Signal) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, pid := range g.pids {
		unix.Kill(pid, s)
	}
}
