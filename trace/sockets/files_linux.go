package sockets

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/sys/process"
)

// files knows which descriptors lead to which sockets: this process's and, of its
// threads, those that have descriptors of their own; and other processes'.
type files struct {
	tables  []*table
	own     bool // whether this process's are among them
	scanned bool // whether all of them were read since begin
}

// table is a table of descriptors.
type table struct {
	holder int            // the thread or the other process whose it is; 0 is this process
	others bool           // whether it is another process's, which closes them without telling
	path   string         // its folder
	folder *os.File       // which is open, or nil
	known  map[uint32]int // descriptors by inode
}

// openFiles opens the process's table. It stays open: to open it later would take
// a descriptor that a socket is to have. If own is false, it only sees that it could be.
func openFiles(own bool) (*files, error) {
	t := &table{path: "/proc/self/fd", known: make(map[uint32]int)}
	fd, err := t.open()
	if err == unix.ENOENT {
		return nil, fmt.Errorf("%w: is /proc mounted?", sys.Fail("open", t.path, err))
	}
	if err != nil {
		return nil, sys.Fail("open", t.path, err)
	}
	if !own {
		unix.Close(fd)
		return &files{}, nil
	}
	t.folder = os.NewFile(uintptr(process.MoveUp(fd)), t.path)
	return &files{tables: []*table{t}, own: true}, nil
}

// open opens the folder. Package os would open descriptors of its own with it.
func (t *table) open() (fd int, err error) {
	return unix.Open(t.path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
}

// addThread adds the table of a thread.
func (f *files) addThread(id int) {
	f.tables = append(f.tables, &table{holder: id, path: fmt.Sprintf("/proc/self/task/%d/fd", id), known: make(map[uint32]int)})
}

// addProcess adds the table of another process, behind the others.
func (f *files) addProcess(pid int) {
	if f.of(pid) == nil {
		f.tables = append(f.tables, &table{holder: pid, others: true, path: fmt.Sprintf("/proc/%d/fd", pid), known: make(map[uint32]int)})
		f.scanned = false
	}
}

// removeProcess forgets the table of another process.
func (f *files) removeProcess(pid int) {
	f.tables = slices.DeleteFunc(f.tables, func(t *table) bool { return t.others && t.holder == pid })
}

// isOthers reports whether descriptors are another process's.
func (f *files) isOthers(holder int) bool {
	t := f.of(holder)
	return t != nil && t.others
}

// of returns the table of a thread or process, or nil.
func (f *files) of(holder int) *table {
	for _, t := range f.tables {
		if t.holder == holder {
			return t
		}
	}
	return nil
}

// begin begins a round of questions: what leads nowhere now may have a descriptor
// in the next one.
func (f *files) begin() { f.scanned = false }

// descriptor returns the lowest descriptor of the first table that has one that leads to a
// socket, or -1, and whose table that is. It reads the tables, unless it has done so since
// begin, or one is known.
func (f *files) descriptor(inode uint32) (holder, fd int) {
	if inode == 0 {
		return 0, -1
	}
	for _, t := range f.tables {
		if fd, known := t.known[inode]; known {
			if !t.others || t.inode(fd) == inode {
				return t.holder, fd
			}
			delete(t.known, inode)
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

// still returns a descriptor that leads to a socket to which one has led: the same or, if
// another process has closed that or has ended, one that it or the next has; -1 if there is
// none.
func (f *files) still(holder, fd int, inode uint32) (int, int) {
	t := f.of(holder)
	switch {
	case t != nil && t.inode(fd) == inode:
		return holder, fd
	case t != nil && !t.others:
		return holder, -1
	}
	return f.descriptor(inode)
}

// inode returns the inode of the socket that a descriptor of a thread or process leads to,
// or 0 if it leads to none.
func (f *files) inode(holder, fd int) uint32 {
	if t := f.of(holder); t != nil {
		return t.inode(fd)
	}
	return 0
}

// Borrow calls see with a descriptor of this process that leads where another process's, or
// thread's, does. For that it may have to be its tracer, or have other rights over it.
//
// Source: pidfd_getfd(2).
func Borrow(pid, fd int, see func(fd int)) error {
	const anyThread = unix.O_EXCL // PIDFD_THREAD, from Linux 6.9 on
	file, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		file, err = unix.PidfdOpen(pid, anyThread)
	}
	if err != nil {
		return err
	}
	defer unix.Close(file)
	own, err := unix.PidfdGetfd(file, fd, 0)
	if err != nil {
		return err
	}
	defer unix.Close(own)
	see(own)
	return nil
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
			return // the thread or process has ended
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
