package spell

import (
	"lbaws/trace/strace/field"
	"lbaws/trace/strace/symbol"
)

// Calls that make, copy and close descriptors, and change what one is.

// close is a call with a descriptor alone.
func (c *Call) close() { c.w.Descriptor(c.Args[0]) }

func (c *Call) closeRange() {
	c.w.Unsigned(uint64(uint32(c.Args[0])))
	c.w.Next()
	c.w.Unsigned(uint64(uint32(c.Args[1])))
	c.w.Next()
	c.w.Flags(uint64(uint32(c.Args[2])), "CLOSE_RANGE_???", symbol.CloseRangeFlags)
}

func (c *Call) dup2() {
	c.w.Descriptor(c.Args[0])
	c.w.Next()
	c.w.Descriptor(c.Args[1])
}

func (c *Call) dup3() {
	c.dup2()
	c.w.Next()
	c.w.Flags(uint64(uint32(c.Args[2])), "O_???", symbol.OpenFlags)
}

func (c *Call) pipeRest() { c.pair(c.Args[0]) }

func (c *Call) pipe2Rest() {
	c.pipeRest()
	c.w.Next()
	c.w.Flags(uint64(uint32(c.Args[1])), "O_???", symbol.OpenFlags)
}

func (c *Call) eventfd() { c.w.Unsigned(uint64(uint32(c.Args[0]))) }

func (c *Call) eventfd2() {
	c.eventfd()
	c.w.Next()
	c.w.Flags(uint64(uint32(c.Args[1])), "EFD_???", symbol.EventFlags)
}

func (c *Call) pidfdGetfd() {
	c.dup2()
	c.w.Next()
	c.w.Hex(uint64(uint32(c.Args[2])))
}

// The commands of fcntl.
const (
	fDupfd, fGetfd, fSetfd, fGetfl, fSetfl           = 0, 1, 2, 3, 4
	fGetlk, fSetlk, fSetlkw, fSetown, fGetown        = 5, 6, 7, 8, 9
	fSetsig, fGetsig, fGetlk64, fSetlk64, fSetlkw64  = 10, 11, 12, 13, 14
	fSetownEx, fGetownEx                             = 15, 16
	fOfdGetlk, fOfdSetlk, fOfdSetlkw                 = 36, 37, 38
	fSetlease, fGetlease, fNotify, fDupfdCloexec     = 1024, 1025, 1026, 1030
	fSetpipeSize, fGetpipeSize, fAddSeals, fGetSeals = 1031, 1032, 1033, 1034
)

func (c *Call) command() uint32 { return uint32(c.Args[1]) }

// fcntl appends the argument of a command whose argument the program gives.
func (c *Call) fcntl() {
	arg := c.Args[2]
	c.w.Descriptor(c.Args[0])
	c.w.Next()
	c.w.Symbol(uint64(c.command()), "F_???", symbol.FcntlCommands)
	c.ended = true
	switch c.command() {
	case fGetfd, fGetfl, fGetown, fGetsig, fGetlease, fGetpipeSize, fGetSeals:
		return // without an argument
	case fGetlk, fOfdGetlk, fGetownEx:
		c.ended = false
		return
	case fGetlk64:
		if c.Name == "fcntl64" {
			c.ended = false
			return
		}
	}
	c.w.Next()
	switch c.command() {
	case fDupfd, fDupfdCloexec, fSetpipeSize:
		c.w.Decimal(int64(arg))
	case fSetown:
		c.w.Integer(arg)
	case fSetfd:
		c.w.Flags(uint64(uint32(arg)), "FD_???", symbol.DescriptorFlags)
	case fSetfl:
		c.openFlags(uint64(uint32(arg)))
	case fSetlk, fSetlkw:
		c.lock(arg, c.w.Word(), false)
	case fOfdSetlk, fOfdSetlkw:
		c.lock(arg, 8, false)
	case fSetownEx:
		c.owner(arg)
	case fSetsig:
		c.w.Signal(arg)
	case fSetlease:
		c.w.Symbol(arg, "F_???", symbol.Locks)
	case fNotify:
		c.w.Flags(arg, "DN_???", symbol.Notifications)
	case fAddSeals:
		c.w.Flags(arg, "F_SEAL_???", symbol.Seals)
	case fSetlk64, fSetlkw64:
		if c.Name == "fcntl64" {
			c.lock(arg, 8, false)
			return
		}
		c.w.Hex(arg)
	default:
		c.w.Hex(arg)
	}
}

// fcntlRest appends what the kernel has filled in.
func (c *Call) fcntlRest() {
	c.w.Next()
	switch c.command() {
	case fGetlk:
		c.lock(c.Args[2], c.w.Word(), true)
	case fGetownEx:
		c.owner(c.Args[2])
	default:
		c.lock(c.Args[2], 8, true)
	}
}

// fcntlResult says in words what some commands return.
func (c *Call) fcntlResult() {
	flags := uint64(uint32(c.result))
	switch command := c.command(); {
	case command == fGetfl:
		c.hexNumber()
		c.w.Text(" (flags ")
		c.openFlags(flags)
	case command == fGetlease:
		c.hexNumber()
		name := symbol.Locks.Of(uint64(c.result))
		if name == "" {
			return
		}
		c.w.Text(" (")
		c.w.Text(name)
	case command == fGetfd && flags != 0:
		c.hexNumber()
		c.w.Text(" (flags ")
		c.w.AuxiliaryFlags(flags, '|', false, symbol.DescriptorFlags)
	case command == fGetSeals && flags != 0:
		c.hexNumber()
		c.w.Text(" (seals ")
		c.w.AuxiliaryFlags(flags, '|', false, symbol.Seals)
	case command == fGetsig && flags > 0 && flags <= field.LastRealtime:
		c.number()
		c.w.Text(" (")
		c.w.Signal(flags)
	case command == fDupfd || command == fDupfdCloexec || command == fGetown:
		c.w.Decimal(c.result)
		return
	default:
		c.number()
		return
	}
	c.w.Text(")")
}

// lock appends a struct flock whose offsets have the given number of bytes.
func (c *Call) lock(addr, size uint64, withHolder bool) {
	start := uint64(4)
	if size == 8 && c.arch != symbol.ArchI386 { // i386 aligns to four bytes
		start = 8
	}
	p, ok := c.w.Fetch(addr, start+2*size+4)
	if !ok {
		return
	}
	offset := func(p []byte) int64 {
		if size == 4 {
			return int64(int32(field.Order.Uint32(p)))
		}
		return int64(field.Order.Uint64(p))
	}
	c.w.Text("{l_type=")
	c.w.Symbol(uint64(field.Order.Uint16(p)), "F_???", symbol.Locks)
	c.w.Text(", l_whence=")
	c.w.Symbol(uint64(field.Order.Uint16(p[2:])), "SEEK_???", symbol.Whences)
	c.w.Text(", l_start=")
	c.w.Decimal(offset(p[start:]))
	c.w.Text(", l_len=")
	c.w.Decimal(offset(p[start+size:]))
	if withHolder {
		c.w.Text(", l_pid=")
		c.w.Integer(uint64(field.Order.Uint32(p[start+2*size:])))
	}
	c.w.Text("}")
}

// owner appends a struct f_owner_ex.
func (c *Call) owner(addr uint64) {
	if p, ok := c.w.Fetch(addr, 8); ok {
		c.w.Text("{type=")
		c.w.Symbol(uint64(field.Order.Uint32(p)), "F_OWNER_???", symbol.Owners)
		c.w.Text(", pid=")
		c.w.Integer(uint64(field.Order.Uint32(p[4:])))
		c.w.Text("}")
	}
}
