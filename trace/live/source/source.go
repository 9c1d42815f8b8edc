// Package source finds the line of another program's own source from which a system call
// comes: of a program in C, C++, Rust or Go for x86-64 that has debug information.
//
// It climbs the stack from the call by the tables that the compilers write for exceptions and
// debuggers, which say where each function keeps its return address, and takes the first
// function whose source is the program's. It does not look for words on the stack that could be
// return addresses: those of calls that are over lie there as well.
//
// Source: DWARF 5 sections 6.2 and 6.4; System V ABI for AMD64 section 3.7; Linux Standard
// Base, Core, sections 10.5 and 10.6 (.eh_frame and .eh_frame_hdr).
package source

// Memory is the memory of a program.
type Memory interface {
	// ReadAt fills p from the address, and returns how many bytes it could read.
	ReadAt(p []byte, address uint64) int
}

// Registers are those of a thread of x86-64 that is stopped in a system call: rip, rsp, rbp.
type Registers struct{ IP, SP, BP uint64 }

// Place is a line of a program's source.
type Place struct {
	// File is the full path, as the debug information has it. It is the program's own text: it
	// may hold any byte, and who shows it has to escape it.
	File string
	Line int
	// Function is the function's name, the program's own text too; in Go with its package.
	Function string
}

// Lines finds lines of the programs that are traced. The zero value is ready to use. It keeps
// what it has read, and belongs to one goroutine.
type Lines struct {
	processes map[int]*process
	programs  []*program
}

// Bounds on what a program can make Lines keep, and how far Caller climbs.
const (
	mostPrograms = 8
	mostFrames   = 128
)

// Caller returns the line from which a process makes the call in which it is stopped, with the
// thread's registers. It is the innermost line of the program's own source, else of a library
// that is compiled into the program, and never of the language's standard library. Caller
// returns false if there is none, or if it is not known: without debug information, on other
// machines than x86-64, or where a function says nothing of its stack, as musl's do not.
func (l *Lines) Caller(pid int, r Registers, m Memory) (found Place, ok bool) {
	// debug/elf and debug/dwarf are made for files that are well-formed.
	defer func() {
		if recover() != nil {
			found, ok = Place{}, false
		}
	}()
	p := l.process(pid)
	if p.program == nil || p.program.info == nil {
		return Place{}, false
	}
	best := standard
	s := stack{memory: m}
	for depth := 0; depth < mostFrames; depth++ {
		f := p.frame(r.IP, depth > 0, m)
		if depth == 1 && f.throughPointer && isOwn(f.lines[:min(1, len(f.lines))]) {
			return Place{}, false // the function that the pointer led to may have jumped on
		}
		for _, line := range f.lines {
			if line.owner > best {
				found, best = line.Place, line.owner
			}
		}
		if best == own || !f.known || !f.rules.up(&r, &s) {
			break
		}
	}
	return found, best != standard
}

// Forget forgets a process, after an execve or its end: its memory is another program's.
func (l *Lines) Forget(pid int) { delete(l.processes, pid) }
