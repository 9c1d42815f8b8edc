package spell

import "golang.org/x/sys/unix"

// Calls that make, copy and close descriptors, and change what one is.

// close is a call with a descriptor alone.
func (c *Call) close() { c.descriptor(c.Args[0]) }

func (c *Call) closeRange() {
	c.unsigned(uint64(uint32(c.Args[0])))
	c.next()
	c.unsigned(uint64(uint32(c.Args[1])))
	c.next()
	c.flags(uint64(uint32(c.Args[2])), "CLOSE_RANGE_???", symbols{{2, "CLOSE_RANGE_UNSHARE"}, {4, "CLOSE_RANGE_CLOEXEC"}})
}

func (c *Call) dup2() {
	c.descriptor(c.Args[0])
	c.next()
	c.descriptor(c.Args[1])
}

func (c *Call) dup3() {
	c.dup2()
	c.next()
	c.flags(uint64(uint32(c.Args[2])), "O_???", openFlags)
}

func (c *Call) nothing() {}

func (c *Call) pipeRest() { c.pair(c.Args[0]) }

func (c *Call) pipe2Rest() {
	c.pipeRest()
	c.next()
	c.flags(uint64(uint32(c.Args[1])), "O_???", openFlags)
}

func (c *Call) eventfd() { c.unsigned(uint64(uint32(c.Args[0]))) }

func (c *Call) eventfd2() {
	c.eventfd()
	c.next()
	c.flags(uint64(uint32(c.Args[1])), "EFD_???", symbols{
		{1, "EFD_SEMAPHORE"}, {unix.O_CLOEXEC, "EFD_CLOEXEC"}, {unix.O_NONBLOCK, "EFD_NONBLOCK"}})
}

func (c *Call) pidfdGetfd() {
	c.dup2()
	c.next()
	c.hex(uint64(uint32(c.Args[2])))
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

var fcntlCommands = symbols{
	{fDupfd, "F_DUPFD"}, {fGetfd, "F_GETFD"}, {fSetfd, "F_SETFD"}, {fGetfl, "F_GETFL"}, {fSetfl, "F_SETFL"},
	{fGetlk, "F_GETLK"}, {fSetlk, "F_SETLK"}, {fSetlkw, "F_SETLKW"}, {fSetown, "F_SETOWN"},
	{fGetown, "F_GETOWN"}, {fSetsig, "F_SETSIG"}, {fGetsig, "F_GETSIG"}, {fGetlk64, "F_GETLK64"},
	{fSetlk64, "F_SETLK64"}, {fSetlkw64, "F_SETLKW64"}, {fSetownEx, "F_SETOWN_EX"},
	{fGetownEx, "F_GETOWN_EX"}, {17, "F_GETOWNER_UIDS"}, {fOfdGetlk, "F_OFD_GETLK"},
	{fOfdSetlk, "F_OFD_SETLK"}, {fOfdSetlkw, "F_OFD_SETLKW"}, {fSetlease, "F_SETLEASE"},
	{fGetlease, "F_GETLEASE"}, {fNotify, "F_NOTIFY"}, {1029, "F_CANCELLK"},
	{fDupfdCloexec, "F_DUPFD_CLOEXEC"}, {fSetpipeSize, "F_SETPIPE_SZ"}, {fGetpipeSize, "F_GETPIPE_SZ"},
	{fAddSeals, "F_ADD_SEALS"}, {fGetSeals, "F_GET_SEALS"},
}

func (c *Call) command() uint32 { return uint32(c.Args[1]) }

// fcntl appends the argument of a command whose argument the program gives.
func (c *Call) fcntl() {
	arg := c.Args[2]
	c.descriptor(c.Args[0])
	c.next()
	c.symbol(uint64(c.command()), "F_???", fcntlCommands)
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
	c.next()
	switch c.command() {
	case fDupfd, fDupfdCloexec, fSetpipeSize:
		c.decimal(int64(arg))
	case fSetown:
		c.integer(arg)
	case fSetfd:
		c.flags(uint64(uint32(arg)), "FD_???", descriptorFlags)
	case fSetfl:
		c.openFlags(uint64(uint32(arg)))
	case fSetlk, fSetlkw:
		c.lock(arg, c.word(), false)
	case fOfdSetlk, fOfdSetlkw:
		c.lock(arg, 8, false)
	case fSetownEx:
		c.owner(arg)
	case fSetsig:
		c.signal(arg)
	case fSetlease:
		c.symbol(arg, "F_???", locks)
	case fNotify:
		c.flags(arg, "DN_???", notifications)
	case fAddSeals:
		c.flags(arg, "F_SEAL_???", seals)
	case fSetlk64, fSetlkw64:
		if c.Name == "fcntl64" {
			c.lock(arg, 8, false)
			return
		}
		c.hex(arg)
	default:
		c.hex(arg)
	}
}

// fcntlRest appends what the kernel has filled in.
func (c *Call) fcntlRest() {
	c.next()
	switch c.command() {
	case fGetlk:
		c.lock(c.Args[2], c.word(), true)
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
		c.text(" (flags ")
		c.openFlags(flags)
	case command == fGetlease:
		c.hexNumber()
		name := locks.of(uint64(c.result))
		if name == "" {
			return
		}
		c.text(" (")
		c.text(name)
	case command == fGetfd && flags != 0:
		c.hexNumber()
		c.text(" (flags ")
		c.auxiliaryFlags(flags, '|', false, descriptorFlags)
	case command == fGetSeals && flags != 0:
		c.hexNumber()
		c.text(" (seals ")
		c.auxiliaryFlags(flags, '|', false, seals)
	case command == fGetsig && flags > 0 && flags <= lastRealtime:
		c.number()
		c.text(" (")
		c.signal(flags)
	case command == fDupfd || command == fDupfdCloexec || command == fGetown:
		c.decimal(c.result)
		return
	default:
		c.number()
		return
	}
	c.text(")")
}

var descriptorFlags = symbols{{1, "FD_CLOEXEC"}}

var locks = symbols{{0, "F_RDLCK"}, {1, "F_WRLCK"}, {2, "F_UNLCK"}, {4, "F_EXLCK"}, {8, "F_SHLCK"}}

var whences = symbols{{0, "SEEK_SET"}, {1, "SEEK_CUR"}, {2, "SEEK_END"}, {3, "SEEK_DATA"}, {4, "SEEK_HOLE"}}

var notifications = symbols{
	{1, "DN_ACCESS"}, {2, "DN_MODIFY"}, {4, "DN_CREATE"}, {8, "DN_DELETE"}, {0x10, "DN_RENAME"},
	{0x20, "DN_ATTRIB"}, {0x80000000, "DN_MULTISHOT"},
}

var seals = symbols{
	{1, "F_SEAL_SEAL"}, {2, "F_SEAL_SHRINK"}, {4, "F_SEAL_GROW"}, {8, "F_SEAL_WRITE"},
	{0x10, "F_SEAL_FUTURE_WRITE"},
}

// lock appends a struct flock whose offsets have the given number of bytes.
func (c *Call) lock(addr, field uint64, withHolder bool) {
	start := uint64(4)
	if field == 8 && c.arch != archI386 { // i386 aligns to four bytes
		start = 8
	}
	p, ok := c.fetch(addr, start+2*field+4)
	if !ok {
		return
	}
	offset := func(p []byte) int64 {
		if field == 4 {
			return int64(int32(order.Uint32(p)))
		}
		return int64(order.Uint64(p))
	}
	c.text("{l_type=")
	c.symbol(uint64(order.Uint16(p)), "F_???", locks)
	c.text(", l_whence=")
	c.symbol(uint64(order.Uint16(p[2:])), "SEEK_???", whences)
	c.text(", l_start=")
	c.decimal(offset(p[start:]))
	c.text(", l_len=")
	c.decimal(offset(p[start+field:]))
	if withHolder {
		c.text(", l_pid=")
		c.integer(uint64(order.Uint32(p[start+2*field:])))
	}
	c.text("}")
}

// owner appends a struct f_owner_ex.
func (c *Call) owner(addr uint64) {
	if p, ok := c.fetch(addr, 8); ok {
		c.text("{type=")
		c.symbol(uint64(order.Uint32(p)), "F_OWNER_???", symbols{{0, "F_OWNER_TID"}, {1, "F_OWNER_PID"}, {2, "F_OWNER_PGRP"}})
		c.text(", pid=")
		c.integer(uint64(order.Uint32(p[4:])))
		c.text("}")
	}
}
