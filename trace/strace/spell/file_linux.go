package spell

import "golang.org/x/sys/unix"

// Calls that open files.

// directory appends the directory from which a path begins.
func (c *Call) directory(arg uint64) {
	const here = -100
	if int32(arg) == here {
		c.text("AT_FDCWD")
		return
	}
	c.descriptor(arg)
}

func (c *Call) open()  { c.openPath(0) }
func (c *Call) creat() { c.path(c.Args[0]); c.next(); c.octal(uint64(uint16(c.Args[1]))) }

func (c *Call) openat() {
	c.directory(c.Args[0])
	c.next()
	c.openPath(1)
}

func (c *Call) openPath(first int) {
	c.path(c.Args[first])
	c.next()
	flags := uint64(uint32(c.Args[first+1]))
	c.openFlags(flags)
	if flags&(unix.O_CREAT|onlyTmpfile) != 0 {
		c.next()
		c.octal(uint64(uint16(c.Args[first+2])))
	}
}

// O_TMPFILE and O_SYNC are more bits than one.
const (
	onlyTmpfile = unix.O_TMPFILE &^ unix.O_DIRECTORY
	onlySync    = unix.O_SYNC &^ unix.O_DSYNC
	accessMask  = 3
	largeFile   = unix.O_DIRECT << 1 // it is zero in the headers of C
)

var openFlags = symbols{
	{unix.O_CREAT, "O_CREAT"}, {unix.O_EXCL, "O_EXCL"}, {unix.O_NOCTTY, "O_NOCTTY"},
	{unix.O_TRUNC, "O_TRUNC"}, {unix.O_APPEND, "O_APPEND"}, {unix.O_NONBLOCK, "O_NONBLOCK"},
	{unix.O_SYNC, "O_SYNC"}, {onlySync, "__O_SYNC"}, {unix.O_DSYNC, "O_DSYNC"},
	{unix.O_DIRECT, "O_DIRECT"}, {largeFile, "O_LARGEFILE"}, {unix.O_NOFOLLOW, "O_NOFOLLOW"},
	{unix.O_NOATIME, "O_NOATIME"}, {unix.O_CLOEXEC, "O_CLOEXEC"}, {unix.O_PATH, "O_PATH"},
	{unix.O_TMPFILE, "O_TMPFILE"}, {onlyTmpfile, "__O_TMPFILE"}, {unix.O_DIRECTORY, "O_DIRECTORY"},
	{0x2000, "FASYNC"},
}

var accessModes = symbols{{0, "O_RDONLY"}, {1, "O_WRONLY"}, {2, "O_RDWR"}, {3, "O_ACCMODE"}}

// openFlags appends how a file is open: whether for reading or writing, and the flags.
func (c *Call) openFlags(flags uint64) {
	c.text(accessModes.of(flags & accessMask))
	c.auxiliaryFlags(flags&^accessMask, '|', true, openFlags)
}

const howSize = 24 // of a struct open_how

func (c *Call) openat2() {
	c.directory(c.Args[0])
	c.next()
	c.path(c.Args[1])
	c.next()
	c.openHow(c.Args[2], c.Args[3])
	c.next()
	c.unsigned(c.Args[3])
}

func (c *Call) openHow(addr, size uint64) {
	if size < howSize {
		c.pointer(addr)
		return
	}
	p, ok := c.fetch(addr, howSize)
	if !ok {
		return
	}
	flags, mode, resolve := order.Uint64(p), order.Uint64(p[8:]), order.Uint64(p[16:])
	c.text("{flags=")
	c.openFlags(flags)
	if flags&(unix.O_CREAT|onlyTmpfile) != 0 || mode != 0 {
		c.text(", mode=")
		c.octal(mode)
	}
	c.text(", resolve=")
	c.flags(resolve, "RESOLVE_???", resolveFlags)
	c.nonzeroBytes(", ", addr, howSize, size)
	c.text("}")
}

var resolveFlags = symbols{
	{1, "RESOLVE_NO_XDEV"}, {2, "RESOLVE_NO_MAGICLINKS"}, {4, "RESOLVE_NO_SYMLINKS"},
	{8, "RESOLVE_BENEATH"}, {0x10, "RESOLVE_IN_ROOT"}, {0x20, "RESOLVE_CACHED"},
}
