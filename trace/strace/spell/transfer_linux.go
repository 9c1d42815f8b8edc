package spell

import (
	"lbaws/trace/strace/field"
	"lbaws/trace/strace/symbol"
)

// Calls that read and write bytes.

// read is read and readv up to what the kernel fills in.
func (c *Call) read() {
	c.w.Descriptor(c.Args[0])
	c.w.Next()
}

func (c *Call) readRest() {
	c.received(c.Args[1], uint64(c.result))
	c.w.Next()
	c.w.Unsigned(c.Args[2])
}

// received appends a buffer that the kernel has filled.
func (c *Call) received(addr, size uint64) {
	if c.w.Failed {
		c.w.Pointer(addr)
	} else {
		c.w.Buffer(addr, size)
	}
}

func (c *Call) write() {
	c.w.Descriptor(c.Args[0])
	c.w.Next()
	c.w.Buffer(c.Args[1], c.Args[2])
	c.w.Next()
	c.w.Unsigned(c.Args[2])
}

func (c *Call) readvRest() {
	if c.w.Failed {
		c.w.ArrayOf(c.Args[1], c.Args[2], 2*c.w.Word(), false, c.unreadElement)
	} else {
		c.vector(c.Args[1], c.Args[2], uint64(c.result))
	}
	c.w.Next()
	c.w.Unsigned(c.Args[2])
}

func (c *Call) writev() {
	c.w.Descriptor(c.Args[0])
	c.w.Next()
	c.vector(c.Args[1], c.Args[2], everything)
	c.w.Next()
	c.w.Unsigned(c.Args[2])
}

const everything = ^uint64(0) // however many bytes the elements have

// vector appends n elements of type struct iovec, and of their bytes the first ones.
func (c *Call) vector(addr, n, bytes uint64) {
	c.dataLimit = bytes
	c.w.ArrayOf(addr, n, 2*c.w.Word(), false, c.vectorElement)
}

func (c *Call) vectorElement(p []byte) bool {
	base, length := c.w.LongIn(p), c.w.LongIn(p[c.w.Word():])
	shown := min(length, c.dataLimit)
	if c.dataLimit != everything {
		c.dataLimit -= shown
	}
	c.w.Text("{iov_base=")
	c.w.Buffer(base, shown)
	c.vectorLength(length)
	return true
}

// unreadElement is one that the kernel has not filled.
func (c *Call) unreadElement(p []byte) bool {
	c.w.Text("{iov_base=")
	c.w.Pointer(c.w.LongIn(p))
	c.vectorLength(c.w.LongIn(p[c.w.Word():]))
	return true
}

func (c *Call) vectorLength(length uint64) {
	c.w.Text(", iov_len=")
	c.w.Unsigned(length)
	c.w.Text("}")
}

// send is send(2), which some architectures have.
func (c *Call) send() {
	c.write()
	c.w.Next()
	c.messageFlags(c.Args[3])
}

func (c *Call) sendto() {
	c.send()
	c.w.Next()
	c.w.Address(c.Args[4], int32(c.Args[5]))
	c.w.Next()
	c.w.Integer(c.Args[5])
}

func (c *Call) recvRest() {
	c.received(c.Args[1], min(uint64(c.result), c.Args[2]))
	c.w.Next()
	c.w.Unsigned(c.Args[2])
	c.w.Next()
	c.messageFlags(c.Args[3])
}

func (c *Call) recvfrom() {
	c.read()
	c.offeredRoom(c.Args[4], c.Args[5])
}

func (c *Call) recvfromRest() {
	c.recvRest()
	c.w.Next()
	var length []byte
	readable := c.Args[4] != 0 && c.Args[5] != 0
	if readable {
		length, readable = c.w.Peek(c.Args[5], 4)
	}
	switch {
	case !readable:
		c.w.Pointer(c.Args[4])
		c.w.Next()
		c.w.Pointer(c.Args[5])
	case c.w.Failed:
		c.w.Pointer(c.Args[4])
		c.w.Next()
		c.roomOnly()
	default:
		c.filledAddress(c.Args[4], int32(field.Order.Uint32(length)))
	}
}

func (c *Call) messageFlags(arg uint64) {
	c.w.Flags(uint64(uint32(arg)), "MSG_???", symbol.MessageFlags)
}

// sendfile appends where in the file it begins, and when it has returned where it ended.
func (c *Call) sendfile() {
	c.w.Descriptor(c.Args[0])
	c.w.Next()
	c.w.Descriptor(c.Args[1])
	c.w.Next()
	if c.offset() && (c.offsetIs64() || c.Args[3] != 0) {
		return
	}
	c.ended = true
	c.w.Next()
	c.w.Unsigned(c.Args[3])
}

func (c *Call) sendfileRest() {
	if !c.w.Failed && c.result != 0 {
		c.w.Text(" => ")
		c.offset()
	}
	c.w.Next()
	c.w.Unsigned(c.Args[3])
}

func (c *Call) offsetIs64() bool { return c.w.Wide || c.Name == "sendfile64" }

func (c *Call) offset() bool {
	if !c.offsetIs64() {
		return c.w.LongAt(c.Args[2])
	}
	p, ok := c.w.Fetch(c.Args[2], 8)
	if ok {
		c.w.Text("[")
		c.w.Unsigned(field.Order.Uint64(p))
		c.w.Text("]")
	}
	return ok
}

func (c *Call) splice() {
	c.w.Descriptor(c.Args[0])
	c.w.Next()
	c.offsetAt(c.Args[1])
	c.w.Next()
	c.w.Descriptor(c.Args[2])
	c.w.Next()
	c.offsetAt(c.Args[3])
	c.w.Next()
	c.w.Unsigned(c.Args[4])
	c.w.Next()
	c.w.Flags(uint64(uint32(c.Args[5])), "SPLICE_F_???", symbol.SpliceFlags)
}

// offsetAt appends a loff_t.
func (c *Call) offsetAt(addr uint64) {
	if p, ok := c.w.Fetch(addr, 8); ok {
		c.w.Text("[")
		c.w.Decimal(int64(field.Order.Uint64(p)))
		c.w.Text("]")
	}
}
