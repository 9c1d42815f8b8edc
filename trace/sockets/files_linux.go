package sockets

import (
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"lbaws/sys"
)

// files knows which descriptors of this process lead to which sockets.
type files struct {
	folder  int            // /proc/self/fd, open as a descriptor of 10 or above; -1 if there is none
	known   map[uint32]int // descriptors by inode
	scanned bool           // whether the folder was read since begin
	entries []byte         // room for a part of the folder
	names   []string
}

func openFiles() *files {
	fd, err := unix.Open("/proc/self/fd", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		fd = -1
	} else {
		fd = sys.MoveUp(fd)
	}
	return &files{folder: fd, known: make(map[uint32]int), entries: make([]byte, 4096)}
}

// begin begins a round of questions: what leads nowhere now may have a descriptor
// in the next one.
func (f *files) begin() { f.scanned = false }

// descriptor returns the lowest descriptor of this process that leads to a socket,
// or -1.
func (f *files) descriptor(inode uint32) int {
	if inode == 0 {
		return -1
	}
	fd, known := f.known[inode]
	if !known && !f.scanned {
		f.scan()
		fd, known = f.known[inode]
	}
	if !known {
		return -1
	}
	return fd
}

// scan reads the folder.
//
// Source: proc_pid_fd(5): each entry of a socket is a link to socket:[INODE].
func (f *files) scan() {
	f.scanned = true
	clear(f.known)
	if f.folder < 0 {
		return
	}
	unix.Seek(f.folder, 0, 0)
	for {
		n, err := unix.ReadDirent(f.folder, f.entries)
		if n <= 0 || err != nil {
			return
		}
		_, _, f.names = unix.ParseDirent(f.entries[:n], -1, f.names[:0])
		for _, name := range f.names {
			f.note(name)
		}
	}
}

// note notes where a descriptor leads, if it leads to a socket.
func (f *files) note(name string) {
	fd, err := strconv.Atoi(name)
	if err != nil {
		return
	}
	inode := f.inode(fd)
	if lowest, known := f.known[inode]; inode != 0 && (!known || fd < lowest) {
		f.known[inode] = fd
	}
}

// inode returns the inode of the socket that a descriptor leads to, or 0 if it
// leads to none.
func (f *files) inode(fd int) uint32 {
	var target [64]byte
	n, err := unix.Readlinkat(f.folder, strconv.Itoa(fd), target[:])
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
