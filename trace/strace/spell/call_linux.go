package spell

import (
	"strconv"

	"golang.org/x/sys/unix"

	"lbaws/trace/strace"
)

// Call is a call of another program. The zero value is ready for Begin. It keeps between the
// call's beginning and its return what the program's memory said at the beginning, and is to
// be used for one call of a thread after another.
type Call struct {
	Name string    // as strace has it: "accept4"
	Args [6]uint64 // those of socketcall(2) are the arguments of the call that it stands for

	before   string   // the call before it
	wide     bool     // a 64-bit program: its pointers, longs and size_t have 8 bytes
	arch     uint32   // AUDIT_ARCH_…
	spelling spelling // how the call is spelled
	ended    bool     // nothing is left to be said when it returns

	// What the program's memory said at the beginning.
	room     int32    // how long an address may become
	names    []int32  // the same, of each message of recvmmsg
	timeout  timespec // how long recvmmsg was to wait
	timeouts bool     // whether it was there

	// What holds for the text that is being appended.
	b         []byte
	memory    Memory
	limit     int
	result    int64
	returned  bool
	dataLimit uint64 // how many bytes of the buffers of an iovec are shown
	scratch   [256]byte
}

// spelling is how a call is spelled: what strace writes at its beginning, and when it has
// returned.
type spelling struct {
	begin, rest func(*Call)
	result      func(*Call) // nil: a number
}

// Begin makes c the call with the number and the arguments that a program on the given
// architecture (AUDIT_ARCH_…) begins. It reports false, and c is not to be used, if this is a
// call that the package does not know.
//
// A call by socketcall(2) becomes the call that it stands for, as with strace.
func (c *Call) Begin(arch uint32, number uint64, args [6]uint64, m Memory) bool {
	name, ok := Name(arch, number)
	if !ok {
		return false
	}
	*c = Call{Name: name, Args: args, before: c.Name, arch: arch, wide: isWide(arch), names: c.names[:0]}
	if !c.wide {
		for i := range c.Args {
			c.Args[i] = uint64(uint32(c.Args[i]))
		}
	}
	if name == "socketcall" {
		c.memory = m
		c.unpackSocketcall()
		c.memory = nil
	}
	c.spelling, ok = spellings[c.Name]
	return ok
}

// AppendBegin appends the arguments that strace writes when the call begins, without the
// parenthesis before them. It shows at most limit bytes of a buffer, and as many elements of
// an array. What follows them when the call returns is appended by AppendRest.
func (c *Call) AppendBegin(b []byte, m Memory, limit int) []byte {
	c.set(b, m, limit)
	c.returned = false
	if c.spelling.begin != nil {
		c.spelling.begin(c)
	}
	c.ended = c.ended || c.spelling.rest == nil
	return c.take()
}

// AppendRest appends the other arguments of a call that has returned result (an error of the
// kernel is a negative number).
func (c *Call) AppendRest(b []byte, result int64, m Memory, limit int) []byte {
	if c.ended {
		return b
	}
	c.set(b, m, limit)
	c.result, c.returned = result, true
	c.spelling.rest(c)
	return c.take()
}

// AppendResult appends what stands behind the equals sign when the call has returned result.
func (c *Call) AppendResult(b []byte, result int64, m Memory, limit int) []byte {
	if result < 0 && result >= -lastErrno {
		return appendError(b, unix.Errno(-result))
	}
	c.set(b, m, limit)
	c.result, c.returned = result, true
	if c.spelling.result != nil {
		c.spelling.result(c)
	} else {
		c.number()
	}
	return c.take()
}

func (c *Call) set(b []byte, m Memory, limit int) {
	c.b, c.memory, c.limit = b, m, max(limit, 0)
}

// take ends an appended text, and keeps hold of nothing of the caller's.
func (c *Call) take() []byte {
	b := c.b
	c.b, c.memory = nil, nil
	return b
}

const lastErrno = 4095 // the kernel's MAX_ERRNO

// Errors that only a tracer sees: the kernel makes the call again, or returns EINTR to the
// program.
const (
	erestartsys          = unix.Errno(512)
	erestartnointr       = unix.Errno(513)
	erestartnohand       = unix.Errno(514)
	erestartRestartblock = unix.Errno(516)
)

func appendError(b []byte, errno unix.Errno) []byte {
	switch errno {
	case erestartsys:
		return append(b, "? ERESTARTSYS (To be restarted if SA_RESTART is set)"...)
	case erestartnointr:
		return append(b, "? ERESTARTNOINTR (To be restarted)"...)
	case erestartnohand:
		return append(b, "? ERESTARTNOHAND (To be restarted if no handler)"...)
	case erestartRestartblock:
		return append(b, "? ERESTART_RESTARTBLOCK (Interrupted by signal)"...)
	}
	return strace.AppendError(b, errno)
}

// failed reports whether the call has returned with an error.
func (c *Call) failed() bool {
	return c.returned && c.result < 0 && c.result >= -lastErrno
}

// interrupted reports whether a signal has interrupted the call.
func (c *Call) interrupted() bool {
	switch unix.Errno(-c.result) {
	case erestartsys, erestartnointr, erestartnohand, erestartRestartblock:
		return c.failed()
	}
	return false
}

// number appends the result as a number.
func (c *Call) number() {
	if c.wide {
		c.b = strconv.AppendUint(c.b, uint64(c.result), 10)
	} else {
		c.b = strconv.AppendUint(c.b, uint64(uint32(c.result)), 10)
	}
}

// hexNumber appends the result as a hexadecimal number.
func (c *Call) hexNumber() {
	if c.wide {
		c.hex(uint64(c.result))
	} else {
		c.hex(uint64(uint32(c.result)))
	}
}
