package source

import "encoding/binary"

// stack is the part of a thread's stack that has been read.
type stack struct {
	memory Memory
	start  uint64
	part   []byte
	buffer [4 << 10]byte
}

// word returns a word of the stack. What follows it is read with it, for the words of outer
// functions lie higher.
func (s *stack) word(address uint64) (uint64, bool) {
	const size = 8
	if address < s.start || address-s.start+size > uint64(len(s.part)) || address+size < size {
		s.start = address
		s.part = s.buffer[:max(0, min(s.memory.ReadAt(s.buffer[:], address), len(s.buffer)))]
		if len(s.part) < size {
			return 0, false
		}
	}
	return binary.LittleEndian.Uint64(s.part[address-s.start:]), true
}

// Numbers of registers in DWARF.
//
// Source: System V ABI for AMD64, figure 3.36.
const (
	rbp           = 6
	rsp           = 7
	returnAddress = 16
)

// place is a place on the stack: a register and an offset, or, if it is indirect, what lies
// there. If the register is cfa, it is counted from the canonical frame address, which is that
// of the word above the return address.
type place struct {
	register uint64
	offset   int64
	indirect bool
}

const cfa = 1 << 32

// rules are the ways from a function to its caller's registers. A place that is not known is
// zero.
type rules struct {
	frame   place // the canonical frame address itself
	returns place // where the return address lies; the outermost function has none
	saved   place // where the caller's rbp lies
	isSaved bool  // rbp was changed; otherwise it is still the caller's
}

// up goes to the caller of a function: it changes the registers to those that the caller has
// when the function returns. It returns false if there is none, or if it is not known.
func (u *rules) up(r *Registers, s *stack) bool {
	frame, ok := u.frame.address(r, 0, s)
	if !ok || frame <= r.SP {
		return false // an outer function's frame lies higher
	}
	ip, ok := u.returns.word(r, frame, s)
	if u.isSaved {
		r.BP, _ = u.saved.word(r, frame, s)
	}
	r.IP, r.SP = ip, frame
	return ok
}

// address returns the address of a place.
func (p place) address(r *Registers, frame uint64, s *stack) (uint64, bool) {
	var base uint64
	switch p.register {
	case rsp:
		base = r.SP
	case rbp:
		base = r.BP
	case cfa:
		base = frame
	}
	address := base + uint64(p.offset)
	if base == 0 {
		return 0, false
	}
	if p.indirect {
		return s.word(address)
	}
	return address, true
}

// word returns what lies at a place.
func (p place) word(r *Registers, frame uint64, s *stack) (uint64, bool) {
	address, ok := p.address(r, frame, s)
	if !ok {
		return 0, false
	}
	return s.word(address)
}
