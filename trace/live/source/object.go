package source

import "encoding/binary"

// object is an executable or a library as it lies in memory.
type object struct {
	moved uint64 // how much higher it lies than its file says
	table uint64 // where .eh_frame_hdr lies; 0 if it has none
}

// readObject reads the headers of what lies at an address.
//
// Source: elf(5).
func readObject(start uint64, m Memory) (object, bool) {
	const headerSize, size, mostHeaders = 64, 56, 64
	const load, unwinding = 1, 0x6474e550 // PT_LOAD, PT_GNU_EH_FRAME
	var header [headerSize]byte
	// The class of 64 bits, little-endian.
	if m.ReadAt(header[:], start) < headerSize || string(header[:6]) != "\x7fELF\x02\x01" {
		return object{}, false
	}
	order := binary.LittleEndian
	count := int(order.Uint16(header[56:]))
	if order.Uint16(header[54:]) != size || count > mostHeaders {
		return object{}, false
	}
	headers := make([]byte, count*size)
	if m.ReadAt(headers, start+order.Uint64(header[32:])) < len(headers) {
		return object{}, false
	}
	var o object
	isLoaded := false
	for ; len(headers) > 0; headers = headers[size:] {
		offset, address := order.Uint64(headers[8:]), order.Uint64(headers[16:])
		switch order.Uint32(headers) {
		case load:
			if !isLoaded {
				// The mapping begins at the page that holds the offset.
				o.moved, isLoaded = start-(address-offset), true
			}
		case unwinding:
			o.table = address
		}
	}
	if o.table != 0 {
		o.table += o.moved
	}
	return o, isLoaded
}

// rules returns the rules for the place in front of an address: those of the object's
// .eh_frame, which the compiler writes for each function unless it is told not to. Its sorted
// table of functions has eight bytes for each: where the function begins, and where its
// description lies, both counted from the table.
//
// Source: Linux Standard Base, Core, section 10.6.
func (o *object) rules(pc uint64, m Memory) (rules, bool) {
	const (
		version   = 1
		count     = 0x03 // of four bytes
		sorted    = 0x3b // four bytes, signed, counted from the table
		firstPart = 4
		entrySize = 8
	)
	var head [firstPart + 16]byte
	if o.table == 0 || m.ReadAt(head[:], o.table) < firstPart+entrySize ||
		head[0] != version || head[2] != count || head[3] != sorted {
		return rules{}, false
	}
	c := cursor{b: head[firstPart:]}
	c.pointer(uint64(head[1]), 0)
	entries := c.u32()
	first := o.table + uint64(len(head)-len(c.b))
	read := func(i uint64) (begin, description uint64, ok bool) {
		var entry [entrySize]byte
		if m.ReadAt(entry[:], first+i*entrySize) < entrySize {
			return 0, 0, false
		}
		e := cursor{b: entry[:]}
		return e.pointer(0x1b, o.table), e.pointer(0x1b, o.table), true
	}
	// The last function that begins in front of pc.
	low, high := uint64(0), entries
	for low < high {
		middle := (low + high) / 2
		begin, _, ok := read(middle)
		if !ok {
			return rules{}, false
		}
		if begin < pc {
			low = middle + 1
		} else {
			high = middle
		}
	}
	if low == 0 {
		return rules{}, false
	}
	_, description, ok := read(low - 1)
	if !ok {
		return rules{}, false
	}
	return rulesInMemory(description, pc, m)
}

// rulesInMemory returns the rules of the function whose description lies at an address.
func rulesInMemory(description, pc uint64, m Memory) (rules, bool) {
	const lengthSize = 4
	function, ok := readEntry(description, m)
	if !ok {
		return rules{}, false
	}
	f := cursor{b: function}
	at := description + lengthSize
	before := f.u32() // how far in front of this field the common part lies
	if before == 0 {
		return rules{}, false // it is a common part itself
	}
	shared, ok := readEntry(at-before, m)
	if !ok {
		return rules{}, false
	}
	s := cursor{b: shared}
	if s.u32() != 0 {
		return rules{}, false
	}
	common, ok := readCommon(&s)
	if !ok {
		return rules{}, false
	}
	described, ok := readFunction(&f, at+4, &common)
	if !ok {
		return rules{}, false
	}
	return described.rules(pc)
}

// readEntry reads an entry of .eh_frame, without its length.
func readEntry(address uint64, m Memory) ([]byte, bool) {
	const longest = 64 << 10
	var length [4]byte
	if m.ReadAt(length[:], address) < len(length) {
		return nil, false
	}
	n := binary.LittleEndian.Uint32(length[:])
	if n == 0 || n > longest {
		return nil, false
	}
	entry := make([]byte, n)
	return entry, m.ReadAt(entry, address+uint64(len(length))) == len(entry)
}
