package source

import (
	"cmp"
	"slices"
)

// function is the description of a function's stack.
type function struct {
	begin, end   uint64
	common       *common
	instructions []byte
}

// readFunction reads the description of a function, from its address on, which lies at an address
// itself.
//
// Source: DWARF 5 section 6.4.1; Linux Standard Base, Core, section 10.6.1.1.2.
func readFunction(c *cursor, at uint64, shared *common) (function, bool) {
	f := function{begin: c.pointer(shared.encoding, at), common: shared}
	f.end = f.begin + c.pointer(shared.encoding&0xf, 0)
	if shared.isAugmented {
		c.take(c.uleb())
	}
	f.instructions = c.b
	return f, !c.bad
}

// rules returns the rules for the place in front of an address; none if the function does not
// hold it.
func (f *function) rules(pc uint64) (rules, bool) {
	if pc <= f.begin || pc > f.end {
		return rules{}, false
	}
	return f.common.rules(f.instructions, pc-1-f.begin)
}

// readFrames reads a section, up to where it is broken, and returns its functions in the order
// of their addresses: .debug_frame, in which Go's compiler describes the stack, or .eh_frame,
// whose address is given, of a program that has no table of it, as those that are linked
// statically.
func readFrames(section []byte, address uint64) []function {
	isException := address != 0
	var functions []function
	commons := make(map[uint64]*common)
	c := cursor{b: section}
	for len(c.b) > 0 {
		begin := uint64(len(section) - len(c.b))
		entry := cursor{b: c.take(c.u32())}
		if c.bad {
			break
		}
		const lengthSize, idSize = 4, 4
		id := entry.u32()
		isCommon, of := id == 0xffffffff, id
		if isException {
			isCommon, of = id == 0, begin+lengthSize-id
		}
		if shared := commons[of]; !isCommon && shared != nil {
			if f, ok := readFunction(&entry, address+begin+lengthSize+idSize, shared); ok {
				functions = append(functions, f)
			}
		} else if d, ok := readCommon(&entry); isCommon && ok {
			commons[begin] = &d
		}
	}
	slices.SortFunc(functions, func(a, b function) int { return cmp.Compare(a.begin, b.begin) })
	return functions
}

// rules returns the rules for the place in front of an address of the file, as its sections have
// them.
func (p *program) rules(pc uint64) (rules, bool) {
	for _, functions := range [][]function{p.frames, p.exceptions} {
		i, _ := slices.BinarySearchFunc(functions, pc, func(f function, pc uint64) int { return cmp.Compare(f.begin, pc) })
		if i > 0 {
			if found, ok := functions[i-1].rules(pc); ok {
				return found, true
			}
		}
	}
	return rules{}, false
}
