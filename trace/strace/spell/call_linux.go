package spell

import (
	"strconv"

	"golang.org/x/sys/unix"

	"lbaws/trace/strace"
	"lbaws/trace/strace/field"
	"lbaws/trace/strace/symbol"
)

// Call is a call of another program. The zero value is ready for Begin. It keeps between the
// call's beginning and its return what the program's memory said at the beginning, and is to
// be used for one call of a thread after another.
type Call struct {
	Name string    // as strace has it: "accept4"
	Args [6]uint64 // those of socketcall(2) are the arguments of the call that it stands for

	before   string   // the call before it
	arch     uint32   // AUDIT_ARCH_…
	spelling spelling // how the call is spelled
	ended    bool     // nothing is left to be said when it returns

	// What the program's memory said at the beginning.
	room    int32      // how long an address may become
	names   []int32    // the same, of each message of recvmmsg
	timeout field.Time // how long recvmmsg was to wait

	w         field.Writer // the text that is being appended
	result    int64
	dataLimit uint64 // how many bytes of the buffers of an iovec are shown
}

// Memory is a program's memory.
type Memory = field.Memory

// Name is the name of the call that has the given number in programs of an architecture
// (AUDIT_ARCH_…). ok is false if it is not one that the package spells. That of a
// socketcall(2) follows from its arguments: Begin.
func Name(arch uint32, number uint64) (name string, ok bool) { return symbol.Call(arch, number) }

// Numbers returns the numbers of all of them. Below amd64 there are two architectures:
// programs for i386 run there, too.
func Numbers(arch uint32) []uint32 { return symbol.Calls(arch) }

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
	*c = Call{Name: name, Args: args, before: c.Name, arch: arch, names: c.names[:0]}
	c.w.Wide = symbol.IsWide(arch)
	if !c.w.Wide {
		for i := range c.Args {
			c.Args[i] = uint64(uint32(c.Args[i]))
		}
	}
	if name == "socketcall" {
		c.w.Memory = m
		c.unpackSocketcall()
		c.w.Memory = nil
	}
	c.spelling, ok = spellings[c.Name]
	return ok
}

// AppendBegin appends the arguments that strace writes when the call begins, without the
// parenthesis before them. It shows at most limit bytes of a buffer, and as many elements of
// an array. What follows them when the call returns is appended by AppendRest.
func (c *Call) AppendBegin(b []byte, m Memory, limit int) []byte {
	c.set(b, m, limit)
	c.w.Failed = false
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
	c.setResult(result)
	c.spelling.rest(c)
	return c.take()
}

// AppendResult appends what stands behind the equals sign when the call has returned result.
func (c *Call) AppendResult(b []byte, result int64, m Memory, limit int) []byte {
	if result < 0 && result >= -lastErrno {
		return appendError(b, unix.Errno(-result))
	}
	c.set(b, m, limit)
	c.setResult(result)
	if c.spelling.result != nil {
		c.spelling.result(c)
	} else {
		c.number()
	}
	return c.take()
}

func (c *Call) set(b []byte, m Memory, limit int) {
	c.w.B, c.w.Memory, c.w.Limit = b, m, max(limit, 0)
}

func (c *Call) setResult(result int64) {
	c.result, c.w.Failed = result, result < 0 && result >= -lastErrno
}

// take ends an appended text, and keeps hold of nothing of the caller's.
func (c *Call) take() []byte {
	b := c.w.B
	c.w.B, c.w.Memory = nil, nil
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
	case unix.EHWPOISON: // Go has no message for it
		return append(b, "-1 EHWPOISON (Memory page has hardware error)"...)
	}
	return strace.AppendError(b, errno)
}

// interrupted reports whether a signal has interrupted the call.
func (c *Call) interrupted() bool {
	switch unix.Errno(-c.result) {
	case erestartsys, erestartnointr, erestartnohand, erestartRestartblock:
		return c.w.Failed
	}
	return false
}

// number appends the result as a number.
func (c *Call) number() {
	if c.w.Wide {
		c.w.B = strconv.AppendUint(c.w.B, uint64(c.result), 10)
	} else {
		c.w.B = strconv.AppendUint(c.w.B, uint64(uint32(c.result)), 10)
	}
}

// hexNumber appends the result as a hexadecimal number.
func (c *Call) hexNumber() {
	if c.w.Wide {
		c.w.Hex(uint64(c.result))
	} else {
		c.w.Hex(uint64(uint32(c.result)))
	}
}
