package source

import "encoding/binary"

// behindCall reports whether an address stands behind a call instruction.
//
// Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, CALL:
// E8 with an offset of four bytes, or FF /2, whose operand takes one to six bytes, and which
// may have a prefix.
func behindCall(pc uint64, m Memory) bool {
	const longest = 7
	var code [longest]byte
	if m.ReadAt(code[:], pc-longest) < longest {
		return false
	}
	if code[longest-5] == 0xe8 {
		return true
	}
	for length := 2; length <= longest; length++ {
		begin := code[longest-length:]
		if begin[0] == 0xff && begin[1]>>3&7 == 2 && operand(begin[1:]) == length-1 {
			return true
		}
	}
	return false
}

// operand returns the length of an operand: its ModRM byte, which may be followed by a SIB byte
// and by an offset of one or four bytes.
//
// Source: the same, section 2.1.5.
func operand(b []byte) int {
	mode, register := b[0]>>6, b[0]&7
	length := 1
	if mode != 3 && register == 4 {
		length++
		if mode == 0 && len(b) > 1 && b[1]&7 == 5 {
			length += 4
		}
	}
	switch {
	case mode == 1:
		length++
	case mode == 2, mode == 0 && register == 5:
		length += 4
	}
	return length
}

// An instruction that goes somewhere: its first byte, that of its form with an offset of one
// byte, and the second one of that which reads from memory where to go.
type branch struct{ near, short, fromMemory byte }

var (
	call = branch{near: 0xe8, fromMemory: 0x15}
	jump = branch{near: 0xe9, short: 0xeb, fromMemory: 0x25}
)

// target returns where the instruction in front of an address leads, and false if that depends
// on a register.
func (b branch) target(pc uint64, m Memory) (uint64, bool) {
	const longest = 6 // FF /2 or /4 and an offset of four bytes from pc
	var code [longest]byte
	if m.ReadAt(code[:], pc-longest) < longest {
		return 0, false
	}
	far := pc + uint64(int64(int32(binary.LittleEndian.Uint32(code[2:]))))
	isNear := code[1] == b.near
	isShort := b.short != 0 && code[4] == b.short
	switch {
	case isNear && isShort:
		return 0, false // one of them is a part of an offset
	case isNear:
		return far, true
	case isShort:
		return pc + uint64(int64(int8(code[5]))), true
	case code[0] == 0xff && code[1] == b.fromMemory:
		var to [8]byte
		n := m.ReadAt(to[:], far)
		return binary.LittleEndian.Uint64(to[:]), n == len(to)
	}
	return 0, false
}
