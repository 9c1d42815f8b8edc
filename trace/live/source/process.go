package source

import (
	"encoding/binary"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// process is a process, and what is known of the functions that it has called from.
type process struct {
	pid        int
	program    *program // nil if its file cannot be read
	executable uint64   // where the file's first byte lies in memory
	regions    []region
	frames     map[uint64]*frame // by return address
}

// region is a part of a process's memory that holds instructions of a file.
type region struct {
	start, end uint64
	file       uint64 // where the file's first byte lies
}

// frame is what is known of a place in the program that calls.
type frame struct {
	lines []line // the functions that were inlined there, the innermost first, and the one they are in
	rules rules  // the way to the function's caller
	known bool   // the rules are

	throughPointer bool // which function it calls does not stand in the program
}

const mostRemembered = 1 << 16

// process returns a process, which it looks up in /proc when it comes first.
func (l *Lines) process(pid int) *process {
	if p := l.processes[pid]; p != nil {
		return p
	}
	p := &process{pid: pid, frames: make(map[uint64]*frame)}
	if l.processes == nil {
		l.processes = make(map[int]*process)
	}
	l.processes[pid] = p
	p.program = l.program(fmt.Sprintf("/proc/%d/exe", pid))
	if p.program != nil && p.program.info != nil {
		p.readMaps()
	}
	return p
}

// readMaps reads where the process's files lie in its memory. The executable is the one that
// holds the program headers of which the kernel told the program: its file may have been
// renamed, or deleted.
//
// Source: proc_pid_maps(5); getauxval(3), AT_PHDR.
func (p *process) readMaps() {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", p.pid))
	if err != nil {
		return
	}
	headers := p.programHeaders()
	p.regions = p.regions[:0]
	begins := make(map[string]uint64)
	for entry := range strings.Lines(string(text)) {
		// START-END MODE OFFSET DEVICE INODE NAME
		fields := strings.Fields(entry)
		if len(fields) < 5 {
			continue
		}
		from, to, _ := strings.Cut(fields[0], "-")
		r := region{start: hexadecimal(from), end: hexadecimal(to)}
		file := fields[3] + " " + fields[4]
		if hexadecimal(fields[2]) == 0 {
			begins[file] = r.start
		}
		begin, known := begins[file]
		if r.file = begin; !known {
			continue
		}
		if r.start <= headers && headers < r.end {
			p.executable = begin
		}
		if strings.Contains(fields[1], "x") {
			p.regions = append(p.regions, r)
		}
	}
}

func hexadecimal(s string) uint64 {
	n, _ := strconv.ParseUint(s, 16, 64)
	return n
}

// programHeaders returns the address of the executable's program headers; 0 if it is not known.
func (p *process) programHeaders() uint64 {
	const programHeaders = 3 // AT_PHDR
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/auxv", p.pid))
	if err != nil {
		return 0
	}
	for ; len(text) >= 16; text = text[16:] {
		if binary.LittleEndian.Uint64(text) == programHeaders {
			return binary.LittleEndian.Uint64(text[8:])
		}
	}
	return 0
}

// region returns the region of the instruction in front of an address. The program may have
// loaded a file since the maps were read.
func (p *process) region(pc uint64) (region, bool) {
	holds := func(r region) bool { return r.start < pc && pc <= r.end }
	i := slices.IndexFunc(p.regions, holds)
	if i < 0 {
		p.readMaps()
		i = slices.IndexFunc(p.regions, holds)
	}
	if i < 0 {
		return region{}, false
	}
	return p.regions[i], true
}

// frame returns what is known of the place in front of a return address. It is nothing if the
// address does not stand behind a call, and so is none; the first one stands behind the
// instruction that enters the kernel.
func (p *process) frame(pc uint64, isReturn bool, m Memory) *frame {
	if f := p.frames[pc]; f != nil {
		return f
	}
	if len(p.frames) >= mostRemembered {
		clear(p.frames)
	}
	f := new(frame)
	p.frames[pc] = f
	r, mapped := p.region(pc)
	if !mapped || isReturn && !behindCall(pc, m) {
		return f
	}
	o, isObject := readObject(r.file, m)
	if !isObject {
		return f
	}
	f.rules, f.known = o.rules(pc, m)
	if r.file != p.executable {
		return f
	}
	if !f.known {
		f.rules, f.known = p.program.rules(pc - o.moved)
	}
	if f.lines = p.program.lines(pc - o.moved); isReturn {
		f.lines, f.throughPointer = p.lastCall(f.lines, pc, o.moved, m)
	}
	return f
}
