package source

// machine runs the instructions that say where a function keeps its caller's registers, of
// which it keeps rbp and the return address in mind.
type machine struct {
	*common
	offset     uint64 // the place that is asked for, from the function's beginning
	location   uint64 // the place that the instructions have come to
	rules      rules
	first      rules // those at the function's beginning
	remembered []rules
}

// The instructions. Those of the first kind have an operand in their lower six bits.
//
// Source: DWARF 5 section 7.24; Linux Standard Base, Core, section 10.5.2.
const (
	advance, offsetAt, restore = 0x40, 0x80, 0xc0

	nop                = 0x00
	advance1           = 0x02
	advance2           = 0x03
	advance4           = 0x04
	offsetExtended     = 0x05
	restoreExtended    = 0x06
	undefined          = 0x07
	sameValue          = 0x08
	inRegister         = 0x09
	rememberState      = 0x0a
	restoreState       = 0x0b
	frameIs            = 0x0c
	frameRegister      = 0x0d
	frameOffset        = 0x0e
	frameExpression    = 0x0f
	expressionAt       = 0x10
	offsetExtendedSign = 0x11
	frameIsSign        = 0x12
	frameOffsetSign    = 0x13
	value              = 0x14
	valueSign          = 0x15
	valueExpression    = 0x16
	argumentsSize      = 0x2e
)

// run runs instructions up to the place. It returns false if there is one that it does not know.
func (m *machine) run(instructions []byte) bool {
	c := &cursor{b: instructions}
	for len(c.b) > 0 {
		code := c.u8()
		low := code & 0x3f
		var forward uint64
		switch code & 0xc0 {
		case advance:
			forward = low
		case offsetAt:
			m.set(low, place{cfa, int64(c.uleb()) * m.dataUnit, false})
			continue
		case restore:
			m.restore(low)
			continue
		}
		switch code {
		case advance1:
			forward = c.u8()
		case advance2:
			forward = c.u16()
		case advance4:
			forward = c.u32()
		}
		if forward *= m.codeUnit; forward > m.offset-m.location {
			return !c.bad
		}
		m.location += forward
		if code < advance && !m.change(code, c) {
			return false
		}
	}
	return !c.bad
}

// change runs an instruction that changes the rules.
func (m *machine) change(code uint64, c *cursor) bool {
	switch code {
	case nop, advance1, advance2, advance4:
	case offsetExtended:
		m.set(c.uleb(), place{cfa, int64(c.uleb()) * m.dataUnit, false})
	case offsetExtendedSign:
		m.set(c.uleb(), place{cfa, c.sleb() * m.dataUnit, false})
	case expressionAt:
		m.set(c.uleb(), expression(c.take(c.uleb())))
	case undefined:
		m.set(c.uleb(), place{})
	case inRegister, value:
		m.set(c.uleb(), place{})
		c.uleb()
	case valueSign:
		m.set(c.uleb(), place{})
		c.sleb()
	case valueExpression:
		m.set(c.uleb(), place{})
		c.take(c.uleb())
	case restoreExtended:
		m.restore(c.uleb())
	case sameValue:
		m.keep(c.uleb())
	case rememberState:
		m.remembered = append(m.remembered, m.rules)
	case restoreState:
		last := len(m.remembered) - 1
		if last < 0 {
			return false
		}
		m.rules, m.remembered = m.remembered[last], m.remembered[:last]
	case frameIs:
		m.rules.frame = place{c.uleb(), int64(c.uleb()), false}
	case frameIsSign:
		m.rules.frame = place{c.uleb(), c.sleb() * m.dataUnit, false}
	case frameRegister:
		m.rules.frame.register = c.uleb()
	case frameOffset:
		m.rules.frame.offset = int64(c.uleb())
	case frameOffsetSign:
		m.rules.frame.offset = c.sleb() * m.dataUnit
	case frameExpression:
		m.rules.frame = expression(c.take(c.uleb()))
	case argumentsSize:
		c.uleb()
	default:
		return false
	}
	return true
}

// set says where a register of the caller lies.
func (m *machine) set(register uint64, where place) {
	switch register {
	case rbp:
		m.rules.saved, m.rules.isSaved = where, true
	case returnAddress:
		m.rules.returns = where
	}
}

// keep says that a register is still the caller's.
func (m *machine) keep(register uint64) {
	switch register {
	case rbp:
		m.rules.saved, m.rules.isSaved = place{}, false
	case returnAddress:
		m.rules.returns = place{}
	}
}

// restore says of a register what was said at the function's beginning.
func (m *machine) restore(register uint64) {
	switch register {
	case rbp:
		m.rules.saved, m.rules.isSaved = m.first.saved, m.first.isSaved
	case returnAddress:
		m.rules.returns = m.first.returns
	}
}

// expression reads the two kinds of expressions that functions have which align their stack: a
// register and an offset, and what lies there.
//
// Source: DWARF 5 section 7.7.1, DW_OP_breg0 and DW_OP_deref.
func expression(b []byte) place {
	const base, last, deref = 0x70, 0x8f, 0x06
	c := cursor{b: b}
	code := c.u8()
	p := place{register: code - base, offset: c.sleb()}
	if len(c.b) > 0 && c.u8() == deref {
		p.indirect = true
	}
	if code < base || code > last || c.bad || len(c.b) > 0 {
		return place{}
	}
	return p
}
