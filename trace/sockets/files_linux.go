package sockets

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"lbaws/sys/process"
)

// files knows which descriptors lead to which sockets: this process's and, of its
// threads, those that have descriptors of their own.
type files struct {
	tables  []*table
	scanned bool // whether all of them were read since begin
}

// table is a table of descriptors.
type table struct {
	thread  int // whose it is; 0 is the process
	path    string
	folder  int            // path, open as a descriptor of 10 or above; or -1
	known   map[uint32]int // descriptors by inode
	entries []byte         // room for a part of the folder
	names   []string
}

// openFiles opens the process's table. It stays open: to open it later would take
// a descriptor that a socket is to have.
func openFiles() *files {
	const path = "/proc/self/fd"
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		fd = -1
	} else {
		fd = process.MoveUp(fd)
	}
	return &files{tables: []*table{newTable(0, path, fd)}}
}

func newTable(thread int, path string, folder int) *table {
	return &table{thread: thread, path: path, folder: folder, known: make(map[uint32]int), entries: make([]byte, 4096)}
}

// addThread adds the table of a thread.
func (f *files) addThread(id int) {
	f.tables = append(f.tables, newTable(id, fmt.Sprintf("/proc/self/task/%d/fd", id), -1))
}

// begin begins a round of questions: what leads nowhere now may have a descriptor
// in the next one.
func (f *files) begin() { f.scanned = false }

// descriptor returns the lowest descriptor of a table that leads to a socket, or
// -1, and whose table that is.
func (f *files) descriptor(inode uint32) (thread, fd int) {
	if inode == 0 {
		return 0, -1
	}
	t := f.find(inode)
	if t == nil && !f.scanned {
		f.scanned = true
		for _, t := range f.tables {
			t.scan()
		}
		t = f.find(inode)
	}
	if t == nil {
		return 0, -1
	}
	return t.thread, t.known[inode]
}

// find returns the table with a descriptor that leads to a socket, or nil.
func (f *files) find(inode uint32) *table {
	i := slices.IndexFunc(f.tables, func(t *table) bool {
		_, known := t.known[inode]
		return known
	})
	if i < 0 {
		return nil
	}
	return f.tables[i]
}

// inode returns the inode of the socket that a descriptor of a thread leads to, or
// 0 if it leads to none.
func (f *files) inode(thread, fd int) uint32 {
	for _, t := range f.tables {
		if t.thread == thread {
			return t.inode(fd)
		}
	}
	return 0
}

// scan reads the table.
//
// Source: proc_pid_fd(5): each entry of a socket is a link to socket:[INODE].
func (t *table) scan() {
	clear(t.known)
	folder := t.folder
	if folder < 0 {
		var err error
		if folder, err = unix.Open(t.path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0); err != nil {
			return // the thread has ended
		}
		defer unix.Close(folder)
	}
	unix.Seek(folder, 0, 0)
	for {
		n, err := unix.ReadDirent(folder, t.entries)
		if n <= 0 || err != nil {
			return
		}
		_, _, t.names = unix.ParseDirent(t.entries[:n], -1, t.names[:0])
		for _, name := range t.names {
			t.note(name)
		}
	}
}

// note notes where a descriptor leads, if it leads to a socket.
func (t *table) note(name string) {
	fd, err := strconv.Atoi(name)
	if err != nil {
		return
	}
	inode := t.inode(fd)
	if lowest, known := t.known[inode]; inode != 0 && (!known || fd < lowest) {
		t.known[inode] = fd
	}
}

// inode returns the inode of the socket that a descriptor leads to, or 0.
func (t *table) inode(fd int) uint32 {
	var target [64]byte
	folder, path := t.folder, strconv.Itoa(fd)
	if folder < 0 {
		path = t.path + "/" + path
	}
	n, err := unix.Readlinkat(folder, path, target[:])
	if err != nil {
		return 0
	}
	link, isSocket := strings.CutPrefix(string(target[:n]), "socket:[")
	inode, err := strconv.ParseUint(strings.TrimSuffix(link, "]"), 10, 32)
	if !isSocket || err != nil {
		return 0
	}
	return uint32(inode)
}
