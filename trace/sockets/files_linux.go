package sockets

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"lbaws/sys"
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
	thread int            // whose it is; 0 is the process
	path   string         // its folder
	folder *os.File       // which is open, or nil
	known  map[uint32]int // descriptors by inode
}

// openFiles opens the process's table. It stays open: to open it later would take
// a descriptor that a socket is to have.
func openFiles() (*files, error) {
	t := &table{path: "/proc/self/fd", known: make(map[uint32]int)}
	fd, err := t.open()
	if err == unix.ENOENT {
		return nil, fmt.Errorf("%w: is /proc mounted?", sys.Fail("open", t.path, err))
	}
	if err != nil {
		return nil, sys.Fail("open", t.path, err)
	}
	t.folder = os.NewFile(uintptr(process.MoveUp(fd)), t.path)
	return &files{tables: []*table{t}}, nil
}

// open opens the folder. Package os would open descriptors of its own with it.
func (t *table) open() (fd int, err error) {
	return unix.Open(t.path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
}

// addThread adds the table of a thread.
func (f *files) addThread(id int) {
	f.tables = append(f.tables, &table{thread: id, path: fmt.Sprintf("/proc/self/task/%d/fd", id), known: make(map[uint32]int)})
}

// begin begins a round of questions: what leads nowhere now may have a descriptor
// in the next one.
func (f *files) begin() { f.scanned = false }

// descriptor returns the lowest descriptor of a table that leads to a socket, or
// -1, and whose table that is. It reads the tables, unless it has done so since begin.
func (f *files) descriptor(inode uint32) (thread, fd int) {
	if inode == 0 {
		return 0, -1
	}
	for _, t := range f.tables {
		if fd, known := t.known[inode]; known {
			return t.thread, fd
		}
	}
	if f.scanned {
		return 0, -1
	}
	f.scanned = true
	for _, t := range f.tables {
		t.scan()
	}
	return f.descriptor(inode)
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
	if folder == nil {
		fd, err := t.open()
		if err != nil {
			return // the thread has ended
		}
		folder = os.NewFile(uintptr(fd), t.path)
		defer folder.Close()
	}
	folder.Seek(0, io.SeekStart)
	names, _ := folder.Readdirnames(-1)
	for _, name := range names {
		fd, _ := strconv.Atoi(name)
		inode := t.inode(fd)
		if lowest, known := t.known[inode]; inode != 0 && (!known || fd < lowest) {
			t.known[inode] = fd
		}
	}
}

// inode returns the inode of the socket that a descriptor leads to, or 0.
func (t *table) inode(fd int) uint32 {
	link, _ := os.Readlink(t.path + "/" + strconv.Itoa(fd))
	inode, _ := strconv.ParseUint(strings.TrimSuffix(strings.TrimPrefix(link, "socket:["), "]"), 10, 32)
	return uint32(inode)
}
