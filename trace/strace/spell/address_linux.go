package spell

import (
	"lbaws/trace/strace/field"
	"lbaws/trace/strace/symbol"
)

// offeredRoom reads the length of the room that the program has for an address.
func (c *Call) offeredRoom(addr, length uint64) bool {
	if addr == 0 || length == 0 {
		return false
	}
	p, ok := c.w.Peek(length, 4)
	if ok {
		c.room = int32(field.Order.Uint32(p))
	}
	return ok
}

// acceptance is accept, accept4, getsockname and getpeername: the kernel fills in an address.
func (c *Call) acceptance() {
	c.w.Descriptor(c.Args[0])
	c.w.Next()
	if !c.offeredRoom(c.Args[1], c.Args[2]) {
		c.ended = true
		c.w.Pointer(c.Args[1])
		c.w.Next()
		c.w.Pointer(c.Args[2])
		c.acceptFlags()
	}
}

func (c *Call) acceptanceRest() {
	p, ok := c.w.Peek(c.Args[2], 4)
	if c.w.Failed || !ok {
		c.w.Pointer(c.Args[1])
		c.w.Next()
		c.roomOnly()
	} else {
		c.filledAddress(c.Args[1], int32(field.Order.Uint32(p)))
	}
	c.acceptFlags()
}

func (c *Call) acceptFlags() {
	if c.Name == "accept4" {
		c.w.Next()
		c.w.Flags(uint64(uint32(c.Args[3])), "SOCK_???", symbol.SocketFlags)
	}
}

func (c *Call) roomOnly() {
	c.w.Text("[")
	c.w.Decimal(int64(c.room))
	c.w.Text("]")
}

// filledAddress appends an address that the kernel has filled in, and a value-result
// argument: the length that the program offered, and the one that the address has.
func (c *Call) filledAddress(addr uint64, length int32) {
	c.w.Address(addr, min(c.room, length))
	c.w.Next()
	c.valueResult(length)
}

func (c *Call) valueResult(length int32) {
	c.w.Text("[")
	if c.room != length {
		c.w.Decimal(int64(c.room))
		c.w.Text(" => ")
	}
	c.w.Decimal(int64(length))
	c.w.Text("]")
}

// bind is bind and connect.
func (c *Call) bind() {
	c.w.Descriptor(c.Args[0])
	c.w.Next()
	c.w.Address(c.Args[1], int32(c.Args[2]))
	c.w.Next()
	c.w.Integer(c.Args[2])
}
