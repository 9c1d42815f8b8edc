package spell_test

import (
	"slices"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"lbaws/trace/strace/spell"
)

// A 64-bit program may make the calls of a 32-bit one: by the instruction int 0x80. To the
// kernel and to strace they are those of i386.

// interrupt makes a call of i386. Go passes the arguments in RAX, RBX, RCX, RDI, RSI, R8 and
// R9; the kernel wants them in EAX, EBX, ECX, EDX, ESI, EDI and EBP.
const interrupt = "\x89\xfa" + // mov edx, edi
	"\x44\x89\xc7" + // mov edi, r8d
	"\x55" + // push rbp
	"\x44\x89\xcd" + // mov ebp, r9d
	"\xcd\x80" + // int 0x80
	"\x5d" + // pop rbp
	"\xc3" // ret

// become32bit makes the child's further calls those of i386.
func (k *child) become32bit() {
	code, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_WRITE|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		panic(err)
	}
	copy(code, interrupt)
	start := &code[0]
	function := &start // a func value is a pointer to a pointer to the code
	call := *(*func(number, a, b, c, d, e, f uintptr) uintptr)(unsafe.Pointer(&function))
	k.arch = unix.AUDIT_ARCH_I386
	k.invoke = func(number uintptr, a [6]uintptr) int64 {
		name, _ := spell.Name(k.arch, uint64(number))
		forks := name == "fork" || strings.HasPrefix(name, "clone")
		result := int64(int32(call(number, a[0], a[1], a[2], a[3], a[4], a[5])))
		if result == 0 && forks {
			// A child must not go on. Nothing may stand before this that could ask the runtime
			// for anything: the threads that would answer are not the child's.
			unix.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
		}
		return result
	}
}

// socketCall are the calls that have no number of their own, and how many arguments they have.
var socketCall = map[string][2]int{"accept": {5, 3}, "send": {9, 4}, "recv": {10, 4}}

// translate returns the number that the call with a number of amd64 has on i386, and its
// arguments there.
func (k *child) translate(number uintptr, args [6]uint64) (uintptr, [6]uint64) {
	for i := range args {
		args[i] = uint64(uint32(args[i]))
	}
	name, _ := spell.Name(archHere, uint64(number))
	if name == "select" {
		name = "_newselect"
	}
	if call, found := socketCall[name]; found {
		var values []any
		for _, arg := range args[:call[1]] {
			values = append(values, uintptr(arg))
		}
		return 102, [6]uint64{uint64(call[0]), uint64(k.put(values...))}
	}
	numbers := spell.Numbers(k.arch)
	i := slices.IndexFunc(numbers, func(n uint32) bool {
		found, _ := spell.Name(k.arch, uint64(n))
		return found == name
	})
	return uintptr(numbers[i]), args
}

// make makes the call with a number of i386.
func (k *child) make(number int, args ...int) int64 {
	var a [6]uintptr
	var wide [6]uint64
	for i, arg := range args {
		wide[i] = uint64(uint32(arg))
		a[i] = uintptr(wide[i])
	}
	return k.spell(uintptr(number), a, wide)
}

// onlyI386 makes calls that only i386 has.
func onlyI386(k *child) {
	file := int(k.make(295, unix.AT_FDCWD, int(k.put("file\x00")), unix.O_RDWR))
	ends := int(k.room(8))
	k.make(42, ends)
	lock := int(k.put(half(1), half(0), int64(3), int64(-4), 7))
	for command := range 20 {
		k.make(221, file, command, lock)
		k.make(221, unopened, command, 5)
	}
	for _, offset := range []uintptr{0, k.put(int64(2)), k.put(int64(1) << 40), k.put(int64(-1)), k.beyond()} {
		k.make(239, k.at(uintptr(ends)+4), file, int(offset), 3)
		k.make(239, k.at(uintptr(ends)+4), file, int(offset), 0)
	}
	time, mask := int(k.time64(0, 5)), int(k.put(int64(4)))
	k.make(407, 1, 0, time, 0)
	k.make(413, 5, 0, 0, 0, time, 0)
	k.make(413, 5, 0, int(k.set(1)), 0, time, int(k.put(uintptr(mask), uintptr(8))))
	k.make(414, int(k.poll(-1, 1)), 1, time, mask, 8)
	k.make(414, int(k.poll(1, unix.POLLOUT)), 1, time, mask, 4)
	k.make(417, -1, int(k.room(32)), 1, 0, time)
	k.make(162, int(k.time(0, 5)), 0)
	for number := -1; number < 23; number++ {
		k.make(102, number, 0)
		k.make(102, number, int(k.put(-1, 0, 0, 0, 0, 0)))
		k.make(102, number, int(k.beyond())-8)
	}
	const settls = unix.CLONE_SETTLS | int(unix.SIGCHLD)
	for _, descriptor := range []uintptr{k.put(12, 0x1000, 0xfffff, 0x51), k.put(-1, 0, 1, 0x7f), k.beyond(), 0} {
		k.make(120, settls, 0, 0, int(descriptor), 0)
		k.make(120, settls|unix.CLONE_THREAD, 0, 0, int(descriptor), 0)
		k.make(435, int(k.put(int64(settls&^17), int64(0), int64(0), int64(0), int64(17), int64(0), int64(0), int64(descriptor))), 64)
	}
}
