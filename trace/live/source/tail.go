package source

import "debug/dwarf"

// Entries of DWARF 4 that came into DWARF 5 with numbers of their own.
//
// Source: https://gcc.gnu.org/onlinedocs/gcc, and include/dwarf2.def of GCC.
const (
	gnuCallSite = dwarf.Tag(0x4109)
	gnuTailCall = dwarf.Attr(0x2115)
)

// tailCall returns the address behind the jump with which a function makes its last call. It
// returns false if there is no such jump, or more than one.
func (p *program) tailCall(function uint64) (jump uint64, one bool) {
	r := p.info.Reader()
	if _, err := r.SeekPC(function); err != nil {
		return 0, false
	}
	count := 0
	walk(r, func(entry *dwarf.Entry) bool {
		switch entry.Tag {
		case dwarf.TagCallSite, gnuCallSite:
			if to, ok := behindJump(entry); ok {
				jump = to
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
	return jump, count == 1
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
