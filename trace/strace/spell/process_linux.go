package spell

import (
	"lbaws/trace/strace/field"
	"lbaws/trace/strace/symbol"
)

// Calls that make processes and threads, and programs of them.

const signalMask = 0xff // the signal that ends a clone stands in its flags

const (
	cloneParentSettid  = 0x00100000
	cloneChildCleartid = 0x00200000
	cloneChildSettid   = 0x01000000
	cloneSettls        = 0x00080000
	clonePidfd         = 0x00001000
	cloneIntoCgroup    = 0x200000000
)

// clone: which of the arguments mean something follows from the flags.
func (c *Call) clone() {
	flags, signal := c.Args[0]&^signalMask, c.Args[0]&signalMask
	c.w.Text("child_stack=")
	c.w.Pointer(c.Args[1])
	c.w.Text(", flags=")
	if flags != 0 {
		c.w.Flags(flags, "CLONE_???", symbol.CloneFlags)
		if signal != 0 {
			c.w.Text("|")
			c.w.Signal(signal)
		}
	} else {
		c.w.Signal(signal)
	}
	const more = cloneParentSettid | clonePidfd | cloneChildSettid | cloneChildCleartid | cloneSettls
	c.ended = flags&more == 0
}

func (c *Call) cloneRest() {
	tls, child := c.Args[3], c.Args[4]
	if c.arch == symbol.ArchAMD64 { // it alone has them the other way round
		tls, child = child, tls
	}
	flags := c.Args[0]
	if flags&(cloneParentSettid|clonePidfd) != 0 {
		c.w.Text(", parent_tid=")
		c.w.IntAt(c.Args[2])
	}
	if flags&cloneSettls != 0 {
		c.w.Text(", tls=")
		c.threadArea(tls)
	}
	if flags&(cloneChildSettid|cloneChildCleartid) != 0 {
		c.w.Text(", child_tidptr=")
		c.w.Pointer(child)
	}
}

// threadArea appends where a thread's own memory is: on i386 a struct user_desc.
// Source: set_thread_area(2).
func (c *Call) threadArea(addr uint64) {
	if c.arch != symbol.ArchI386 {
		c.w.Pointer(addr)
		return
	}
	p, ok := c.w.Fetch(addr, 16)
	if !ok {
		return
	}
	c.w.Text("{entry_number=")
	c.w.Integer(uint64(field.Order.Uint32(p)))
	c.w.Text(", base_addr=")
	c.w.PaddedHex(field.Order.Uint32(p[4:]))
	c.w.Text(", limit=")
	c.w.PaddedHex(field.Order.Uint32(p[8:]))
	bits := uint64(field.Order.Uint32(p[12:]))
	for _, field := range []struct {
		name          string
		shift, length int
	}{
		{", seg_32bit=", 0, 1}, {", contents=", 1, 2}, {", read_exec_only=", 3, 1},
		{", limit_in_pages=", 4, 1}, {", seg_not_present=", 5, 1}, {", useable=", 6, 1},
	} {
		c.w.Text(field.name)
		c.w.Unsigned(bits >> field.shift & (1<<field.length - 1))
	}
	c.w.Text("}")
}

// The fields of a struct clone_args, and how many bytes there are up to tls and in all.
const (
	argFlags = iota
	argPidfd
	argChildTid
	argParentTid
	argExitSignal
	argStack
	argStackSize
	argTLS
	argSetTid
	argSetTidSize
	argCgroup
	cloneFields
	cloneMin, cloneMax = 8 * argSetTid, 8 * cloneFields
)

// readCloneArgs reads the arguments of clone3. Those of an older program are fewer.
func (c *Call) readCloneArgs() (args [cloneFields]uint64, ok bool) {
	p, ok := c.w.Peek(c.Args[0], min(c.Args[1], cloneMax))
	var octets [cloneMax]byte
	copy(octets[:], p)
	for i := range args {
		args[i] = field.Order.Uint64(octets[8*i:])
	}
	return args, ok
}

func (c *Call) clone3() {
	addr, size := c.Args[0], c.Args[1]
	args, ok := c.readCloneArgs()
	if addr == 0 || size < cloneMin || !ok {
		c.w.Pointer(addr)
		c.endClone3()
		return
	}
	c.cloneFields(&args)
	c.w.NonzeroBytes(", ", addr, cloneMax, size)
	c.w.Text("}")
	if args[argFlags]&(clonePidfd|cloneParentSettid) == 0 && size <= cloneMax {
		c.endClone3()
	}
}

func (c *Call) endClone3() {
	c.ended = true
	c.w.Next()
	c.w.Unsigned(c.Args[1])
}

func (c *Call) cloneFields(args *[cloneFields]uint64) {
	flags := args[argFlags]
	field := func(set bool, name string, value uint64) {
		if set {
			c.w.Text(name)
			c.w.Pointer(value)
		}
	}
	c.w.Text("{flags=")
	c.w.Flags(flags, "CLONE_???", symbol.CloneFlags, symbol.Clone3Flags)
	field(flags&clonePidfd != 0, ", pidfd=", args[argPidfd])
	field(flags&(cloneChildSettid|cloneChildCleartid) != 0, ", child_tid=", args[argChildTid])
	field(flags&cloneParentSettid != 0, ", parent_tid=", args[argParentTid])
	c.w.Text(", exit_signal=")
	if signal := args[argExitSignal]; signal < 1<<31-1 {
		c.w.Signal(signal)
	} else {
		c.w.Unsigned(signal)
	}
	field(true, ", stack=", args[argStack])
	c.w.Text(", stack_size=")
	c.w.Hex(args[argStackSize])
	if flags&cloneSettls != 0 {
		c.w.Text(", tls=")
		c.threadArea(args[argTLS])
	}
	c.threadNumbers(args[argSetTid], args[argSetTidSize])
	if args[argCgroup] != 0 || flags&cloneIntoCgroup != 0 && c.Args[1] > 8*argCgroup {
		c.w.Text(", cgroup=")
		c.w.Unsigned(args[argCgroup])
	}
}

// threadNumbers appends the numbers that a thread is to have in its namespaces.
func (c *Call) threadNumbers(addr, n uint64) {
	const most = 32
	if addr == 0 && n == 0 {
		return
	}
	c.w.Text(", set_tid=")
	if addr == 0 || n == 0 || n > most {
		c.w.Pointer(addr)
	} else {
		c.w.Array(addr, n, 4, c.w.DescriptorElement)
	}
	c.w.Text(", set_tid_size=")
	c.w.Unsigned(n)
}

// clone3Rest appends what the kernel has filled in.
func (c *Call) clone3Rest() {
	if !c.w.Failed {
		c.clone3Filled()
	}
	c.endClone3()
}

func (c *Call) clone3Filled() {
	args, ok := c.readCloneArgs()
	if !ok {
		c.w.Text(" => ")
		c.w.Pointer(c.Args[0])
		return
	}
	separator := " => {"
	if args[argFlags]&clonePidfd != 0 {
		c.w.Text(separator)
		separator = ", "
		c.w.Text("pidfd=")
		c.w.IntAt(args[argPidfd])
	}
	if args[argFlags]&cloneParentSettid != 0 {
		c.w.Text(separator)
		separator = ", "
		c.w.Text("parent_tid=")
		c.w.IntAt(args[argParentTid])
	}
	if c.w.NonzeroBytes(separator, c.Args[0], cloneMax, c.Args[1]) {
		separator = ", "
	}
	if separator == ", " {
		c.w.Text("}")
	}
}

func (c *Call) execve() { c.program(0) }

func (c *Call) execveat() {
	c.directory(c.Args[0])
	c.w.Next()
	c.program(1)
	c.w.Next()
	c.w.Flags(uint64(uint32(c.Args[4])), "AT_???", symbol.AtFlags)
}

// program appends a program's path, its arguments, and how many variables its environment has.
func (c *Call) program(first int) {
	c.w.Path(c.Args[first])
	c.w.Next()
	c.w.Arguments(c.Args[first+1])
	c.w.Next()
	c.w.Environment(c.Args[first+2])
}

// restart stands for the call that a signal has interrupted.
func (c *Call) restart() {
	c.w.Text("<... resuming interrupted ")
	if c.before != "" {
		c.w.Text(c.before)
	} else {
		c.w.Text("system call")
	}
	c.w.Text(" ...>")
}
