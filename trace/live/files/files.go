// Package files says what the kernel tells below /proc of other programs' descriptors.
package files

import (
	"bytes"
	"fmt"
	"iter"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Tables are threads' tables of descriptors. The zero value is ready to use. It keeps a
// descriptor open for each thread that was asked for, so that the kernel has less to look up.
type Tables struct{ folders map[int]int }

// mostFolders is how many are kept open.
const mostFolders = 256

// Inode returns the inode of the socket to which a thread's descriptor leads, or 0; and
// whether the descriptor is open.
//
// Source: proc_pid_fd(5).
func (t *Tables) Inode(thread, fd int) (inode uint32, open bool) {
	if fd < 0 {
		return 0, false
	}
	folder, name := t.folder(thread), strconv.Itoa(fd)
	if folder < 0 {
		name = fmt.Sprintf("/proc/%d/fd/%d", thread, fd)
	}
	var link [64]byte
	n, err := unix.Readlinkat(folder, name, link[:])
	if err != nil {
		return 0, false
	}
	number, found := bytes.CutPrefix(link[:n], []byte("socket:["))
	if !found {
		return 0, true
	}
	for _, digit := range bytes.TrimSuffix(number, []byte("]")) {
		inode = 10*inode + uint32(digit-'0')
	}
	return inode, true
}

// folder returns a descriptor of a thread's folder; negative if there are too many.
func (t *Tables) folder(thread int) int {
	fd, known := t.folders[thread]
	if known {
		return fd
	}
	if len(t.folders) == mostFolders {
		return -1
	}
	fd, err := unix.Open(fmt.Sprintf("/proc/%d/fd", thread), unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1
	}
	if t.folders == nil {
		t.folders = make(map[int]int)
	}
	t.folders[thread] = fd
	return fd
}

// Close forgets a thread that has ended.
func (t *Tables) Close(thread int) {
	if fd, known := t.folders[thread]; known {
		unix.Close(fd)
		delete(t.folders, thread)
	}
}

// All returns the open descriptors of a thread.
func (t *Tables) All(thread int) (fds []int) {
	entries, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", thread))
	for _, entry := range entries {
		if fd, err := strconv.Atoi(entry.Name()); err == nil {
			fds = append(fds, fd)
		}
	}
	return fds
}

// HasRing reports whether a thread has an io_uring open.
func (t *Tables) HasRing(thread int) bool {
	return slices.ContainsFunc(t.All(thread), func(fd int) bool {
		link, _ := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", thread, fd))
		return link == "anon_inode:[io_uring]"
	})
}

// Epolled are the descriptors for which a thread's epoll descriptor waits.
//
// Source: proc_pid_fdinfo(5).
func (t *Tables) Epolled(thread, fd int) iter.Seq[int] {
	return func(yield func(int) bool) {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/fdinfo/%d", thread, fd))
		for line := range strings.Lines(string(text)) {
			fields := strings.Fields(line)
			if len(fields) < 2 || fields[0] != "tfd:" {
				continue
			}
			if target, err := strconv.Atoi(fields[1]); err == nil && !yield(target) {
				return
			}
		}
	}
}

// Program returns the name of the program that a process executes, in printable characters.
//
// Source: proc_pid_comm(5).
func Program(pid int) string {
	name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	quoted := strconv.QuoteToGraphic(strings.TrimSpace(string(name))) // it may be anything
	return quoted[1 : len(quoted)-1]
}
