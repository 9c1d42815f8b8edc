package ptrace

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"lbaws/sys"
)

// Attach follows a process that runs already, with all of its threads, and the children that
// it will have. It stops at each of its calls, as it has no filter. When this process ends,
// it goes on as it was. The error says why it cannot be followed, and what to do about that.
func (t *Tracer) Attach(pid int) (*Process, error) {
	folder := fmt.Sprintf("/proc/%d/task", pid)
	var why error // its first thread cannot be followed
	for found := true; found; {
		found = false
		threads, err := os.ReadDir(folder)
		if errors.Is(err, unix.ENOENT) {
			return nil, fmt.Errorf("there is no process %d", pid)
		}
		if err != nil {
			return nil, err
		}
		for _, entry := range threads { // new ones may come as long as one runs
			id, _ := strconv.Atoi(entry.Name())
			if t.threads[id] != nil {
				continue
			}
			err := t.attachThread(id)
			if id == pid {
				why = err
			}
			found = found || err == nil // another one may have ended in the meantime
		}
	}
	for _, thread := range t.threads { // also if the first one has ended before
		return thread.Process, nil
	}
	if why == nil || errors.Is(why, unix.ESRCH) {
		return nil, fmt.Errorf("process %d has ended", pid)
	}
	return nil, explain(pid, why)
}

// attachThread follows a thread. What it waits for in the kernel is interrupted, and begun
// again.
func (t *Tracer) attachThread(id int) error {
	if err := seize(id, 0); err != nil {
		return sys.Fail("PTRACE_SEIZE", strconv.Itoa(id), err)
	}
	if t.thread(id) == nil {
		return unix.ESRCH
	}
	t.threads[id].isNew, t.threads[id].attaches = false, true
	return request(unix.PTRACE_INTERRUPT, uintptr(id), 0, 0)
}
