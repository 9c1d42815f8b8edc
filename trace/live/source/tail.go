package source

import "debug/dwarf"

// Entries of DWARF 4 that came into DWARF 5 with numbers of their own.
//
// Source: https://gcc.gnu.org/onlinedocs/gcc, and include/dwarf2.def of GCC.
const (
	gnuCallSite = dwarf.Tag(0x4109)
	gnuTailCall = dwarf.Attr(0x2115)
)

// lastCall returns the lines of a call, given those of the return address behind it. If the call
// is one of a function of the program's own, that function is on the stack no longer, or Caller
// would have found it before: it has made its last call with a jump, as functions do that were
// optimized. If it has more than one such call, nothing is known. A call through a pointer may
// have led to such a function.
func (p *process) lastCall(lines []line, pc, moved uint64, m Memory) (found []line, throughPointer bool) {
	const mostJumps = 8
	target, known := call.target(pc, m)
	if !known {
		return lines, true
	}
	for range mostJumps {
		if !known {
			return nil, false
		}
		if !isOwn(p.program.lines(target + 1 - moved)) {
			return lines, false
		}
		behind, one := p.program.tailCall(target - moved)
		if !one {
			return nil, false
		}
		lines = p.program.lines(behind)
		target, known = jump.target(behind+moved, m)
	}
	return nil, false
}

// tailCall returns the address behind the jump with which a function makes its last call. It
// returns false if there is no such jump, or more than one.
func (p *program) tailCall(function uint64) (behind uint64, one bool) {
	r := p.info.Reader()
	if _, err := r.SeekPC(function); err != nil {
		return 0, false
	}
	count := 0
	walk(r, func(entry *dwarf.Entry) bool {
		switch entry.Tag {
		case dwarf.TagCallSite, gnuCallSite:
			if to, ok := behindJump(entry); ok {
				behind = to
				count++
			}
			return false
		case dwarf.TagSubprogram:
			return p.holds(entry, function)
		case dwarf.TagLexDwarfBlock, dwarf.TagInlinedSubroutine:
			return true
		}
		return isScope(entry.Tag)
	})
	return behind, count == 1
}

// behindJump returns the address behind a call that is a jump.
func behindJump(entry *dwarf.Entry) (uint64, bool) {
	attribute, address := dwarf.AttrCallTailCall, dwarf.AttrCallReturnPC
	if entry.Tag == gnuCallSite {
		attribute, address = gnuTailCall, dwarf.AttrLowpc
	}
	isJump, _ := entry.Val(attribute).(bool)
	behind, ok := entry.Val(address).(uint64)
	return behind, isJump && ok
}
