package source

import (
	"cmp"
	"slices"
)

// function is a function of .debug_frame, in which Go's compiler describes the stack.
type function struct {
	begin, end   uint64
	common       *common
	instructions []byte
}

// readFrames reads .debug_frame, up to where it is broken, and returns its functions in the
// order of their addresses.
//
// Source: DWARF 5 section 6.4.1.
func readFrames(section []byte) []function {
	const shared = 0xffffffff
	var functions []function
	commons := make(map[uint64]*common)
	c := cursor{b: section}
	for len(c.b) > 0 {
		at := uint64(len(section) - len(c.b))
		entry := cursor{b: c.take(c.u32())}
		if c.bad {
			break
		}
		if id := entry.u32(); id != shared {
			f := function{begin: entry.u64(), common: commons[id]}
			f.end = f.begin + entry.u64()
			if f.instructions = entry.b; f.common != nil && !entry.bad {
				functions = append(functions, f)
			}
		} else if d, ok := readCommon(&entry); ok {
			commons[at] = &d
		}
	}
	slices.SortFunc(functions, func(a, b function) int { return cmp.Compare(a.begin, b.begin) })
	return functions
}

// rules returns the rules for the place in front of an address of the file, as .debug_frame has
// them.
func (p *program) rules(pc uint64) (rules, bool) {
	i, _ := slices.BinarySearchFunc(p.frames, pc, func(f function, pc uint64) int { return cmp.Compare(f.begin, pc) })
	if i == 0 || p.frames[i-1].end < pc {
		return rules{}, false
	}
	f := p.frames[i-1]
	return f.common.rules(f.instructions, pc-1-f.begin)
}
