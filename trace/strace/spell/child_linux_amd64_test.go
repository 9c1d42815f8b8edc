package spell_test

import (
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"lbaws/trace/strace/spell"
	"lbaws/trace/tracetest"
)

// The test program runs itself under strace. There it makes calls with their arguments in
// its own memory, and spells each of them.
const (
	fileVariable  = "LBAWS_TEST_SPELLED" // set: make the calls, and write the lines to this file
	callsVariable = "LBAWS_TEST_CALLS"   // which
	busyVariable  = "LBAWS_TEST_BUSY"    // set: another thread makes calls all the time
	limit         = 32                   // strace's -s
)

const archHere = unix.AUDIT_ARCH_X86_64

var archs = []uint32{archHere, unix.AUDIT_ARCH_I386}

func init() {
	runtime.LockOSThread() // plain strace follows the first thread alone
}

func TestMain(m *testing.M) {
	if path := os.Getenv(fileVariable); path != "" {
		if os.Getenv(busyVariable) != "" {
			go beBusy()
		}
		k := newChild()
		calls := os.Getenv(callsVariable)
		if name, is32bit := strings.CutPrefix(calls, "i386-"); is32bit {
			k.become32bit()
			calls = name
		}
		suites[calls](k)
		if k.arch != archHere {
			k.arch, k.invoke = archHere, raw
		}
		k.call(unix.SYS_CLOSE, end)
		if err := os.WriteFile(path, []byte(k.lines.String()), 0o666); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	tracetest.Main(m)
}

// beBusy makes calls on a thread of its own.
func beBusy() {
	runtime.LockOSThread()
	for {
		unix.RawSyscall(unix.SYS_CLOSE, ^uintptr(0), 0, 0)
	}
}

// Descriptors that mark the first and the last line.
const begin, end = 0x10000001, 0x10000002

// child makes the calls.
type child struct {
	arch   uint32
	invoke func(number uintptr, args [6]uintptr) int64
	lines  strings.Builder // with a byte 0 where what strace writes at a call's beginning ends
	called spell.Call
	b      []byte
	memory []byte // where arguments stand; behind it nothing can be read
	used   int
}

const roomForArguments = 1 << 20

// newChild gives the child memory whose addresses have 32 bits.
func newChild() *child {
	const low = 0x40 // MAP_32BIT
	memory, err := unix.Mmap(-1, 0, roomForArguments+4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON|low)
	if err != nil {
		panic(err)
	}
	if err := unix.Mprotect(memory[roomForArguments:], unix.PROT_NONE); err != nil {
		panic(err)
	}
	k := &child{arch: archHere, invoke: raw, memory: memory[:roomForArguments]}
	k.call(unix.SYS_CLOSE, begin)
	return k
}

func raw(number uintptr, a [6]uintptr) int64 {
	r, _, errno := unix.RawSyscall6(number, a[0], a[1], a[2], a[3], a[4], a[5])
	if r == 0 && (number == unix.SYS_FORK || number == unix.SYS_CLONE || number == unix.SYS_CLONE3) {
		unix.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0) // a child must not go on
	}
	if errno != 0 {
		return -int64(errno)
	}
	return int64(r)
}

// ReadAt reads the child's own memory, as a tracer would.
func (k *child) ReadAt(p []byte, addr uint64) int {
	local := []unix.Iovec{{Base: &p[0], Len: uint64(len(p))}}
	remote := []unix.RemoteIovec{{Base: uintptr(addr), Len: len(p)}}
	n, err := unix.ProcessVMReadv(os.Getpid(), local, remote, 0)
	if err != nil {
		return 0
	}
	return n
}

// call makes a call, and writes the line that strace should write of it.
func (k *child) call(number uintptr, args ...any) int64 {
	var a [6]uintptr
	var wide [6]uint64
	for i, arg := range args {
		switch arg := arg.(type) {
		case int:
			a[i] = uintptr(arg)
		case uintptr:
			a[i] = arg
		default:
			panic(fmt.Sprintf("argument %d is %T", i, arg))
		}
		wide[i] = uint64(a[i])
	}
	if k.arch != archHere {
		number, wide = k.translate(number, wide)
		for i := range a {
			a[i] = uintptr(wide[i])
		}
	}
	return k.spell(number, a, wide)
}

// spell makes a call of the architecture that the child has.
func (k *child) spell(number uintptr, a [6]uintptr, wide [6]uint64) int64 {
	c := &k.called
	if !c.Begin(k.arch, uint64(number), wide, k) {
		panic(fmt.Sprint("no call ", number))
	}
	k.b = append(append(k.b[:0], c.Name...), '(')
	k.b = c.AppendBegin(k.b, k, limit)
	begin := string(k.b)
	result := k.invoke(number, a)
	k.b = append(c.AppendRest(k.b, result, k, limit), ") "...)
	for len(k.b) < 40 {
		k.b = append(k.b, ' ')
	}
	k.b = c.AppendResult(append(k.b, "= "...), result, k, limit)
	fmt.Fprintf(&k.lines, "%s\x00%s\n", begin, k.b[len(begin):])
	return result
}

// put puts values into the memory, one behind another, and returns where they are.
func (k *child) put(values ...any) uintptr {
	k.used = (k.used + 15) &^ 15
	p := k.memory[k.used:k.used]
	for _, v := range values {
		switch v := v.(type) {
		case string:
			p = append(p, v...)
		case uintptr:
			if k.arch == archHere {
				p = binary.NativeEndian.AppendUint64(p, uint64(v))
			} else {
				p = binary.NativeEndian.AppendUint32(p, uint32(v))
			}
		case int:
			p = binary.NativeEndian.AppendUint32(p, uint32(v))
		default:
			p, _ = binary.Append(p, binary.NativeEndian, v)
		}
	}
	if len(p) > 0 && &p[0] != &k.memory[k.used] {
		panic("the memory is full")
	}
	place := k.place(k.used)
	k.used += len(p)
	return place
}

func (k *child) place(offset int) uintptr { return uintptr(unsafe.Pointer(&k.memory[offset])) }

// atEnd puts bytes to the end of the memory.
func (k *child) atEnd(s string) uintptr {
	copy(k.memory[len(k.memory)-len(s):], s)
	return k.place(len(k.memory) - len(s))
}

// beyond is where nothing can be read.
func (k *child) beyond() uintptr { return k.place(0) + roomForArguments }

// room is n bytes for the kernel to fill.
func (k *child) room(n int) uintptr { return k.put(strings.Repeat("\xee", n)) }

// at is what the kernel has filled in.
func (k *child) at(place uintptr) int {
	return int(int32(binary.NativeEndian.Uint32(k.memory[place-k.place(0):])))
}
