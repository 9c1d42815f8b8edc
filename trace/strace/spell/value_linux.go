package spell

import "strconv"

// The methods here append a value each, as strace spells it.

func (c *Call) text(s string)      { c.b = append(c.b, s...) }
func (c *Call) next()              { c.b = append(c.b, ", "...) }
func (c *Call) decimal(n int64)    { c.b = strconv.AppendInt(c.b, n, 10) }
func (c *Call) unsigned(n uint64)  { c.b = strconv.AppendUint(c.b, n, 10) }
func (c *Call) integer(arg uint64) { c.decimal(int64(int32(arg))) } // an int of C

// descriptor appends a file descriptor, which the kernel takes for an int.
func (c *Call) descriptor(arg uint64) { c.integer(arg) }

// hex appends a hexadecimal number; zero is 0.
func (c *Call) hex(n uint64) {
	if n != 0 {
		c.text("0x")
	}
	c.b = strconv.AppendUint(c.b, n, 16)
}

// pointer appends a place in memory.
func (c *Call) pointer(addr uint64) {
	if addr == 0 {
		c.text("NULL")
		return
	}
	c.hex(addr)
}

// comment appends a remark as C has it.
func (c *Call) comment(s string) {
	c.text(" /* ")
	c.text(s)
	c.text(" */")
}

// octal appends a file's mode.
func (c *Call) octal(mode uint64) {
	c.text("0000"[:max(1, 3-len(strconv.FormatUint(mode, 8)))])
	c.b = strconv.AppendUint(c.b, mode, 8)
}

// symbols are the names that the headers of C have for numbers. As flags they are written
// in this order.
type symbols []symbol

type symbol struct {
	value uint64
	name  string
}

// of is the name of a number; "" if it has none.
func (s symbols) of(value uint64) string {
	for i := range s {
		if s[i].value == value {
			return s[i].name
		}
	}
	return ""
}

// symbol appends the name of a number, or the number and what names of its kind begin with:
// "0x63 /* AF_??? */". Of several tables the first that has a name for it counts.
func (c *Call) symbol(value uint64, unknown string, tables ...symbols) {
	for _, table := range tables {
		if name := table.of(value); name != "" {
			c.text(name)
			return
		}
	}
	c.hex(value)
	if unknown != "" {
		c.comment(unknown)
	}
}

// flags appends the names of the bits that are set: "MSG_PEEK|MSG_DONTWAIT", "0", or
// "0x80000 /* POLL??? */".
func (c *Call) flags(bits uint64, unknown string, tables ...symbols) {
	if bits == 0 {
		c.text("0")
		return
	}
	rest, found := c.bits(bits, '|', false, tables...)
	switch {
	case !found:
		c.hex(bits)
		c.comment(unknown)
	case rest != 0:
		c.text("|")
		c.hex(rest)
	}
}

// bits appends the names of the bits that are set, with a separator between them, and before
// the first one, too, if there is something before it. It returns the bits that have no name.
func (c *Call) bits(bits uint64, separator byte, follows bool, tables ...symbols) (rest uint64, found bool) {
	for _, table := range tables {
		for _, s := range table {
			if s.value == 0 || bits&s.value != s.value {
				continue
			}
			if follows || found {
				c.b = append(c.b, separator)
			}
			c.text(s.name)
			bits &^= s.value
			found = true
		}
	}
	return bits, found
}

// array appends n elements of the given size, each by the function, which is given the
// element and reports false if it has appended that there are more. As with strace there are
// no more than the limit, and "... /* 0x7f… */" stands where memory cannot be read; if the
// first cannot, the pointer.
func (c *Call) array(addr, n, size uint64, element func(c *Call, p []byte) bool) {
	c.arrayOf(addr, n, size, c.failed(), element)
}

func (c *Call) arrayOf(addr, n, size uint64, failed bool, element func(c *Call, p []byte) bool) {
	end := addr + n*size
	switch {
	case addr == 0:
		c.text("NULL")
		return
	case n == 0:
		c.text("[]")
		return
	case end <= addr || n*size/size != n:
		c.pointer(addr)
		return
	}
	for i := uint64(0); i < n; i++ {
		if i > 0 {
			c.next()
		}
		at := addr + i*size
		p, ok := c.peek(at, size)
		switch {
		case (!ok || failed) && i == 0:
			c.pointer(addr)
			return
		case !ok:
			c.text("...")
			c.commentPointer(at)
			c.text("]")
			return
		case i == 0:
			c.text("[")
		}
		if i >= uint64(c.limit) {
			c.text("...")
			break
		}
		if !element(c, p) {
			break
		}
	}
	c.text("]")
}

func (c *Call) commentPointer(addr uint64) {
	c.text(" /* ")
	c.pointer(addr)
	c.text(" */")
}

// intAt appends the int that a pointer points to.
func (c *Call) intAt(addr uint64) {
	if p, ok := c.fetch(addr, 4); ok {
		c.text("[")
		c.decimal(int64(int32(order.Uint32(p))))
		c.text("]")
	}
}

// longAt appends an unsigned long.
func (c *Call) longAt(addr uint64) bool {
	p, ok := c.fetch(addr, c.word())
	if ok {
		c.text("[")
		c.unsigned(c.long(p))
		c.text("]")
	}
	return ok
}
