package source

import (
	"bytes"
	"encoding/binary"
)

// cursor reads bytes one after the other. If there are too few, it reads zeros, and is bad.
type cursor struct {
	b   []byte
	bad bool
}

// take returns the next bytes.
func (c *cursor) take(n uint64) []byte {
	if n > uint64(len(c.b)) {
		c.b, c.bad = nil, true
		return make([]byte, min(n, 8))
	}
	taken := c.b[:n]
	c.b = c.b[n:]
	return taken
}

func (c *cursor) u8() uint64  { return uint64(c.take(1)[0]) }
func (c *cursor) u16() uint64 { return uint64(binary.LittleEndian.Uint16(c.take(2))) }
func (c *cursor) u32() uint64 { return uint64(binary.LittleEndian.Uint32(c.take(4))) }
func (c *cursor) u64() uint64 { return binary.LittleEndian.Uint64(c.take(8)) }

// uleb and sleb read a number of seven bits a byte, the lowest first.
//
// Source: DWARF 5 section 7.6.
func (c *cursor) uleb() uint64 {
	n, _ := c.leb()
	return n
}

func (c *cursor) sleb() int64 {
	n, shift := c.leb()
	if shift < 64 && n>>(shift-1)&1 == 1 {
		n |= ^uint64(0) << shift
	}
	return int64(n)
}

func (c *cursor) leb() (n uint64, bits uint) {
	for {
		b := c.u8()
		n |= b & 0x7f << bits
		bits += 7
		if b < 0x80 || bits > 63 {
			return n, bits
		}
	}
}

// name reads bytes up to the next zero.
func (c *cursor) name() []byte {
	end := bytes.IndexByte(c.b, 0)
	if end < 0 {
		c.b, c.bad = nil, true
		return nil
	}
	return c.take(uint64(end) + 1)[:end]
}

// pointer reads an address in one of the encodings of .eh_frame, from where it lies in memory.
//
// Source: Linux Standard Base, Core, section 10.5.1.
func (c *cursor) pointer(encoding, from uint64) uint64 {
	const relative, indirect = 0x10, 0x80
	var n uint64
	switch encoding & 0xf {
	case 0x0, 0x4, 0xc:
		n = c.u64()
	case 0x2:
		n = c.u16()
	case 0xa:
		n = uint64(int64(int16(c.u16())))
	case 0x3:
		n = c.u32()
	case 0xb:
		n = uint64(int64(int32(c.u32())))
	default:
		c.bad = true
	}
	switch encoding &^ 0xf {
	case relative:
		return n + from
	case 0, relative | indirect: // the latter only for functions that catch exceptions: not used
		return n
	}
	c.bad = true
	return 0
}
