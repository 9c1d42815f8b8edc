package spell

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

var cloneFlags = symbols{
	{0x100, "CLONE_VM"}, {0x200, "CLONE_FS"}, {0x400, "CLONE_FILES"}, {0x800, "CLONE_SIGHAND"},
	{clonePidfd, "CLONE_PIDFD"}, {0x2000, "CLONE_PTRACE"}, {0x4000, "CLONE_VFORK"},
	{0x8000, "CLONE_PARENT"}, {0x10000, "CLONE_THREAD"}, {0x20000, "CLONE_NEWNS"},
	{0x40000, "CLONE_SYSVSEM"}, {cloneSettls, "CLONE_SETTLS"}, {cloneParentSettid, "CLONE_PARENT_SETTID"},
	{cloneChildCleartid, "CLONE_CHILD_CLEARTID"}, {0x800000, "CLONE_UNTRACED"},
	{cloneChildSettid, "CLONE_CHILD_SETTID"}, {0x2000000, "CLONE_NEWCGROUP"}, {0x4000000, "CLONE_NEWUTS"},
	{0x8000000, "CLONE_NEWIPC"}, {0x10000000, "CLONE_NEWUSER"}, {0x20000000, "CLONE_NEWPID"},
	{0x40000000, "CLONE_NEWNET"}, {0x80000000, "CLONE_IO"},
}

var clone3Flags = symbols{
	{0x80, "CLONE_NEWTIME"}, {0x100000000, "CLONE_CLEAR_SIGHAND"}, {cloneIntoCgroup, "CLONE_INTO_CGROUP"},
}

// clone: which of the arguments mean something follows from the flags.
func (c *Call) clone() {
	flags, signal := c.Args[0]&^signalMask, c.Args[0]&signalMask
	c.text("child_stack=")
	c.pointer(c.Args[1])
	c.text(", flags=")
	if flags != 0 {
		c.flags(flags, "CLONE_???", cloneFlags)
		if signal != 0 {
			c.text("|")
			c.signal(signal)
		}
	} else {
		c.signal(signal)
	}
	const more = cloneParentSettid | clonePidfd | cloneChildSettid | cloneChildCleartid | cloneSettls
	c.ended = flags&more == 0
}

func (c *Call) cloneRest() {
	tls, child := c.Args[3], c.Args[4]
	if c.arch == archAMD64 { // it alone has them the other way round
		tls, child = child, tls
	}
	flags := c.Args[0]
	if flags&(cloneParentSettid|clonePidfd) != 0 {
		c.text(", parent_tid=")
		c.intAt(c.Args[2])
	}
	if flags&cloneSettls != 0 {
		c.text(", tls=")
		c.threadArea(tls)
	}
	if flags&(cloneChildSettid|cloneChildCleartid) != 0 {
		c.text(", child_tidptr=")
		c.pointer(child)
	}
}

// threadArea appends where a thread's own memory is: on i386 a struct user_desc.
// Source: set_thread_area(2).
func (c *Call) threadArea(addr uint64) {
	if c.arch != archI386 {
		c.pointer(addr)
		return
	}
	p, ok := c.fetch(addr, 16)
	if !ok {
		return
	}
	c.text("{entry_number=")
	c.integer(uint64(order.Uint32(p)))
	c.text(", base_addr=")
	c.paddedHex(order.Uint32(p[4:]))
	c.text(", limit=")
	c.paddedHex(order.Uint32(p[8:]))
	bits := uint64(order.Uint32(p[12:]))
	for _, field := range []struct {
		name          string
		shift, length int
	}{
		{", seg_32bit=", 0, 1}, {", contents=", 1, 2}, {", read_exec_only=", 3, 1},
		{", limit_in_pages=", 4, 1}, {", seg_not_present=", 5, 1}, {", useable=", 6, 1},
	} {
		c.text(field.name)
		c.unsigned(bits >> field.shift & (1<<field.length - 1))
	}
	c.text("}")
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
	p, ok := c.peek(c.Args[0], min(c.Args[1], cloneMax))
	var octets [cloneMax]byte
	copy(octets[:], p)
	for i := range args {
		args[i] = order.Uint64(octets[8*i:])
	}
	return args, ok
}

func (c *Call) clone3() {
	addr, size := c.Args[0], c.Args[1]
	args, ok := c.readCloneArgs()
	if addr == 0 || size < cloneMin || !ok {
		c.pointer(addr)
		c.endClone3()
		return
	}
	c.cloneFields(&args)
	c.nonzeroBytes(", ", addr, cloneMax, size)
	c.text("}")
	if args[argFlags]&(clonePidfd|cloneParentSettid) == 0 && size <= cloneMax {
		c.endClone3()
	}
}

func (c *Call) endClone3() {
	c.ended = true
	c.next()
	c.unsigned(c.Args[1])
}

func (c *Call) cloneFields(args *[cloneFields]uint64) {
	flags := args[argFlags]
	field := func(set bool, name string, value uint64) {
		if set {
			c.text(name)
			c.pointer(value)
		}
	}
	c.text("{flags=")
	c.flags(flags, "CLONE_???", cloneFlags, clone3Flags)
	field(flags&clonePidfd != 0, ", pidfd=", args[argPidfd])
	field(flags&(cloneChildSettid|cloneChildCleartid) != 0, ", child_tid=", args[argChildTid])
	field(flags&cloneParentSettid != 0, ", parent_tid=", args[argParentTid])
	c.text(", exit_signal=")
	if signal := args[argExitSignal]; signal < 1<<31-1 {
		c.signal(signal)
	} else {
		c.unsigned(signal)
	}
	field(true, ", stack=", args[argStack])
	c.text(", stack_size=")
	c.hex(args[argStackSize])
	if flags&cloneSettls != 0 {
		c.text(", tls=")
		c.threadArea(args[argTLS])
	}
	c.threadNumbers(args[argSetTid], args[argSetTidSize])
	if args[argCgroup] != 0 || flags&cloneIntoCgroup != 0 && c.Args[1] > 8*argCgroup {
		c.text(", cgroup=")
		c.unsigned(args[argCgroup])
	}
}

// threadNumbers appends the numbers that a thread is to have in its namespaces.
func (c *Call) threadNumbers(addr, n uint64) {
	const most = 32
	if addr == 0 && n == 0 {
		return
	}
	c.text(", set_tid=")
	if addr == 0 || n == 0 || n > most {
		c.pointer(addr)
	} else {
		c.array(addr, n, 4, (*Call).descriptorElement)
	}
	c.text(", set_tid_size=")
	c.unsigned(n)
}

// clone3Rest appends what the kernel has filled in.
func (c *Call) clone3Rest() {
	if !c.failed() {
		c.clone3Filled()
	}
	c.endClone3()
}

func (c *Call) clone3Filled() {
	args, ok := c.readCloneArgs()
	if !ok {
		c.text(" => ")
		c.pointer(c.Args[0])
		return
	}
	separator := " => {"
	if args[argFlags]&clonePidfd != 0 {
		c.text(separator)
		separator = ", "
		c.text("pidfd=")
		c.intAt(args[argPidfd])
	}
	if args[argFlags]&cloneParentSettid != 0 {
		c.text(separator)
		separator = ", "
		c.text("parent_tid=")
		c.intAt(args[argParentTid])
	}
	if c.nonzeroBytes(separator, c.Args[0], cloneMax, c.Args[1]) {
		separator = ", "
	}
	if separator == ", " {
		c.text("}")
	}
}

// nonzeroBytes appends what stands in a struct behind the fields that are known, unless all of
// it is zero. It reports whether there is something.
func (c *Call) nonzeroBytes(separator string, addr, from, size uint64) bool {
	const page = 4096
	if size = min(size, page); from >= size {
		return false
	}
	if !c.isReadable(addr+from, size-from) {
		c.text(separator)
		c.text("???")
		return true
	}
	if c.isZero(addr+from, size-from) {
		return false
	}
	c.text(separator)
	c.text("/* bytes ")
	c.unsigned(from)
	c.text("..")
	c.unsigned(size - 1)
	c.text(" */ ")
	c.hexBuffer(addr+from, size-from)
	return true
}

func (c *Call) isZero(addr, n uint64) bool {
	for ; n > 0; addr, n = addr+1, n-1 {
		if p, ok := c.peek(addr, 1); ok && p[0] != 0 {
			return false
		}
	}
	return true
}

func (c *Call) execve() { c.program(0) }

func (c *Call) execveat() {
	c.directory(c.Args[0])
	c.next()
	c.program(1)
	c.next()
	c.flags(uint64(uint32(c.Args[4])), "AT_???", atFlags)
}

var atFlags = symbols{
	{0x100, "AT_SYMLINK_NOFOLLOW"}, {0x200, "AT_REMOVEDIR"}, {0x400, "AT_SYMLINK_FOLLOW"},
	{0x800, "AT_NO_AUTOMOUNT"}, {0x1000, "AT_EMPTY_PATH"}, {0x8000, "AT_RECURSIVE"},
}

// program appends a program's path, its arguments, and how many variables its environment has.
func (c *Call) program(first int) {
	c.path(c.Args[first])
	c.next()
	c.arguments(c.Args[first+1])
	c.next()
	c.environment(c.Args[first+2])
}

// arguments appends the texts to which an array has pointers, up to a NULL.
func (c *Call) arguments(addr uint64) {
	if addr == 0 {
		c.text("NULL")
		return
	}
	word := c.word()
	for i := 0; ; i, addr = i+1, addr+word {
		p, ok := c.peek(addr, word)
		switch {
		case !ok && i == 0:
			c.pointer(addr)
			return
		case !ok:
			c.text(", ...")
			c.commentPointer(addr)
			c.text("]")
			return
		case i == 0:
			c.text("[")
		}
		text := c.long(p)
		if text == 0 {
			break
		}
		if i > 0 {
			c.next()
		}
		if i >= c.limit {
			c.text("...")
			break
		}
		c.str(text)
	}
	c.text("]")
}

func (c *Call) environment(addr uint64) {
	c.pointer(addr)
	if addr == 0 {
		return
	}
	word := c.word()
	unterminated := ""
	const most = 1 << 20 // a program has no room for more
	n := uint64(0)
	for ; n < most; n++ {
		p, ok := c.peek(addr+n*word, word)
		if !ok {
			if n == 0 {
				return
			}
			unterminated = ", unterminated"
			break
		}
		if c.long(p) == 0 {
			break
		}
	}
	c.text(" /* ")
	c.unsigned(n)
	c.text(" var")
	if n != 1 {
		c.text("s")
	}
	c.text(unterminated)
	c.text(" */")
}

// restart stands for the call that a signal has interrupted.
func (c *Call) restart() {
	c.text("<... resuming interrupted ")
	if c.before != "" {
		c.text(c.before)
	} else {
		c.text("system call")
	}
	c.text(" ...>")
}
