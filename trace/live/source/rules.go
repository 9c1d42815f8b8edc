package source

import (
	"slices"
	"strings"
)

// common is what the descriptions of many functions share.
type common struct {
	codeUnit     uint64
	dataUnit     int64
	encoding     uint64 // of addresses
	isAugmented  bool
	isInterrupt  bool // the frame of a signal's handler
	instructions []byte
}

// readCommon reads a common information entry, from its version on.
//
// Source: DWARF 5 section 6.4.1; Linux Standard Base, Core, section 10.6.1.1.1.
func readCommon(c *cursor) (common, bool) {
	version := c.u8()
	augmentation := string(c.name())
	if version == 4 {
		c.take(2) // the sizes of an address and of a segment's number
	}
	d := common{codeUnit: c.uleb(), dataUnit: c.sleb()}
	register := uint64(0)
	if version == 1 {
		register = c.u8()
	} else {
		register = c.uleb()
	}
	if !slices.Contains([]uint64{1, 3, 4}, version) || register != returnAddress {
		return common{}, false
	}
	if rest, isAugmented := strings.CutPrefix(augmentation, "z"); isAugmented {
		d.isAugmented = true
		length := c.uleb()
		data := cursor{b: c.take(length)}
		for _, letter := range rest {
			switch letter {
			case 'L': // the encoding of data for exceptions
				data.u8()
			case 'P': // the function that handles exceptions
				data.pointer(data.u8(), 0)
			case 'R':
				d.encoding = data.u8()
			case 'S':
				d.isInterrupt = true
			default:
				return common{}, false
			}
		}
		if data.bad {
			return common{}, false
		}
	} else if augmentation != "" {
		return common{}, false
	}
	d.instructions = c.b
	return d, !c.bad
}

// rules follows the instructions of a function's description to the place that lies so many
// bytes behind the function's beginning.
func (d *common) rules(instructions []byte, offset uint64) (rules, bool) {
	if d.isInterrupt {
		return rules{}, false // the interrupted instruction is no call
	}
	m := machine{common: d, offset: offset}
	if !m.run(d.instructions) {
		return rules{}, false
	}
	m.first = m.rules
	ok := m.run(instructions)
	return m.rules, ok
}
