package symbol

import "golang.org/x/sys/unix"

// The architectures of programs, as the kernel names them for its audit and for seccomp.
const (
	ArchI386  = unix.AUDIT_ARCH_I386
	ArchAMD64 = unix.AUDIT_ARCH_X86_64
)

// IsX86 reports whether an architecture is one of the x86 processors.
func IsX86(arch uint32) bool { return arch == ArchI386 || arch == ArchAMD64 }

// IsWide reports whether an architecture's programs have 64 bits. Source: linux/audit.h.
func IsWide(arch uint32) bool {
	const is64Bit = 0x80000000 // __AUDIT_ARCH_64BIT
	return arch&is64Bit != 0
}

// Call is the name of the call that has the given number in programs of an architecture
// (AUDIT_ARCH_…). ok is false if it is not among those that have to
// do with sockets, descriptors, waiting for them, or making processes. A call to which
// socketcall(2) has a number is named socketcall.
func Call(arch uint32, number uint64) (name string, ok bool) {
	name = numbersOf(arch).Of(number)
	return name, name != ""
}

// Calls returns the numbers that the calls have in programs of an architecture.
func Calls(arch uint32) []uint32 {
	var numbers []uint32
	for _, call := range numbersOf(arch) {
		numbers = append(numbers, uint32(call.Value))
	}
	return numbers
}

func numbersOf(arch uint32) Table {
	switch arch {
	case archHere:
		return numbersHere
	case ArchI386:
		if archHere == ArchAMD64 {
			return numbersI386
		}
	}
	return nil
}

// numbersI386 are the numbers of i386. Source: the kernel's
// arch/x86/entry/syscalls/syscall_32.tbl. Its select(82), which takes its arguments from
// memory, is not among them: programs have called _newselect since Linux 2.0.
var numbersI386 = Table{
	{0, "restart_syscall"}, {2, "fork"}, {3, "read"}, {4, "write"}, {5, "open"}, {6, "close"},
	{8, "creat"}, {11, "execve"}, {41, "dup"}, {42, "pipe"}, {54, "ioctl"}, {55, "fcntl"},
	{63, "dup2"}, {102, "socketcall"}, {120, "clone"}, {142, "_newselect"}, {145, "readv"},
	{146, "writev"}, {162, "nanosleep"}, {168, "poll"}, {187, "sendfile"}, {190, "vfork"},
	{221, "fcntl64"}, {239, "sendfile64"}, {254, "epoll_create"}, {255, "epoll_ctl"},
	{256, "epoll_wait"}, {267, "clock_nanosleep"}, {295, "openat"}, {308, "pselect6"}, {309, "ppoll"},
	{313, "splice"}, {319, "epoll_pwait"}, {323, "eventfd"}, {328, "eventfd2"},
	{329, "epoll_create1"}, {330, "dup3"}, {331, "pipe2"}, {337, "recvmmsg"}, {345, "sendmmsg"},
	{358, "execveat"}, {359, "socket"}, {360, "socketpair"}, {361, "bind"}, {362, "connect"},
	{363, "listen"}, {364, "accept4"}, {365, "getsockopt"}, {366, "setsockopt"}, {367, "getsockname"},
	{368, "getpeername"}, {369, "sendto"}, {370, "sendmsg"}, {371, "recvfrom"}, {372, "recvmsg"},
	{373, "shutdown"}, {407, "clock_nanosleep_time64"}, {413, "pselect6_time64"},
	{414, "ppoll_time64"}, {417, "recvmmsg_time64"}, {425, "io_uring_setup"}, {426, "io_uring_enter"},
	{435, "clone3"}, {436, "close_range"}, {437, "openat2"}, {438, "pidfd_getfd"},
	{441, "epoll_pwait2"},
}
