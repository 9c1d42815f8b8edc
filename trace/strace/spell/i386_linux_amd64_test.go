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
		result := int64(int32(call(number, a[0], a[1], a[2], a[3], a[4], a[5])))
		if name, _ := spell.Name(k.arch, uint64(number)); result == 0 && (name == "fork" || strings.HasPrefix(name, "clone")) {
			unix.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0) // a child must not go on
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
