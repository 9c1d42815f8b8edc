package spell

import (
	"golang.org/x/sys/unix"

	"lbaws/trace/strace/field"
	"lbaws/trace/strace/symbol"
)

// Calls that open files.

// directory appends the directory from which a path begins.
func (c *Call) directory(arg uint64) {
	const here = -100
	if int32(arg) == here {
		c.w.Text("AT_FDCWD")
		return
	}
	c.w.Descriptor(arg)
}

func (c *Call) open()  { c.openPath(0) }
func (c *Call) creat() { c.w.Path(c.Args[0]); c.w.Next(); c.w.Octal(uint64(uint16(c.Args[1]))) }

func (c *Call) openat() {
	c.directory(c.Args[0])
	c.w.Next()
	c.openPath(1)
}

func (c *Call) openPath(first int) {
	c.w.Path(c.Args[first])
	c.w.Next()
	flags := uint64(uint32(c.Args[first+1]))
	c.openFlags(flags)
	if flags&(unix.O_CREAT|symbol.OnlyTmpfile) != 0 {
		c.w.Next()
		c.w.Octal(uint64(uint16(c.Args[first+2])))
	}
}

const accessMask = 3

// openFlags appends how a file is open: whether for reading or writing, and the flags.
func (c *Call) openFlags(flags uint64) {
	c.w.Text(symbol.AccessModes.Of(flags & accessMask))
	c.w.AuxiliaryFlags(flags&^accessMask, '|', true, symbol.OpenFlags)
}

const howSize = 24 // of a struct open_how

func (c *Call) openat2() {
	c.directory(c.Args[0])
	c.w.Next()
	c.w.Path(c.Args[1])
	c.w.Next()
	c.openHow(c.Args[2], c.Args[3])
	c.w.Next()
	c.w.Unsigned(c.Args[3])
}

func (c *Call) openHow(addr, size uint64) {
	if size < howSize {
		c.w.Pointer(addr)
		return
	}
	p, ok := c.w.Fetch(addr, howSize)
	if !ok {
		return
	}
	flags, mode, resolve := field.Order.Uint64(p), field.Order.Uint64(p[8:]), field.Order.Uint64(p[16:])
	c.w.Text("{flags=")
	c.openFlags(flags)
	if flags&(unix.O_CREAT|symbol.OnlyTmpfile) != 0 || mode != 0 {
		c.w.Text(", mode=")
		c.w.Octal(mode)
	}
	c.w.Text(", resolve=")
	c.w.Flags(resolve, "RESOLVE_???", symbol.ResolveFlags)
	c.w.NonzeroBytes(", ", addr, howSize, size)
	c.w.Text("}")
}
