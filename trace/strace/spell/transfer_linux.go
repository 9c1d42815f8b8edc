package spell

// Calls that read and write bytes.

// read is read and readv up to what the kernel fills in.
func (c *Call) read() {
	c.descriptor(c.Args[0])
	c.next()
}

func (c *Call) readRest() {
	c.received(c.Args[1], uint64(c.result))
	c.next()
	c.unsigned(c.Args[2])
}

// received appends a buffer that the kernel has filled.
func (c *Call) received(addr, size uint64) {
	if c.failed() {
		c.pointer(addr)
	} else {
		c.buffer(addr, size)
	}
}

func (c *Call) write() {
	c.descriptor(c.Args[0])
	c.next()
	c.buffer(c.Args[1], c.Args[2])
	c.next()
	c.unsigned(c.Args[2])
}

func (c *Call) readvRest() {
	if c.failed() {
		c.arrayOf(c.Args[1], c.Args[2], 2*c.word(), false, (*Call).unreadElement)
	} else {
		c.vector(c.Args[1], c.Args[2], uint64(c.result))
	}
	c.next()
	c.unsigned(c.Args[2])
}

func (c *Call) writev() {
	c.descriptor(c.Args[0])
	c.next()
	c.vector(c.Args[1], c.Args[2], everything)
	c.next()
	c.unsigned(c.Args[2])
}

const everything = ^uint64(0) // however many bytes the elements have

// vector appends n elements of type struct iovec, and of their bytes the first ones.
func (c *Call) vector(addr, n, bytes uint64) {
	c.dataLimit = bytes
	c.arrayOf(addr, n, 2*c.word(), false, (*Call).vectorElement)
}

func (c *Call) vectorElement(p []byte) bool {
	base, length := c.long(p), c.long(p[c.word():])
	shown := min(length, c.dataLimit)
	if c.dataLimit != everything {
		c.dataLimit -= shown
	}
	c.text("{iov_base=")
	c.buffer(base, shown)
	c.vectorLength(length)
	return true
}

// unreadElement is one that the kernel has not filled.
func (c *Call) unreadElement(p []byte) bool {
	c.text("{iov_base=")
	c.pointer(c.long(p))
	c.vectorLength(c.long(p[c.word():]))
	return true
}

func (c *Call) vectorLength(length uint64) {
	c.text(", iov_len=")
	c.unsigned(length)
	c.text("}")
}

// send is send(2), which some architectures have.
func (c *Call) send() {
	c.write()
	c.next()
	c.messageFlags(c.Args[3])
}

func (c *Call) sendto() {
	c.send()
	c.next()
	c.address(c.Args[4], int32(c.Args[5]))
	c.next()
	c.integer(c.Args[5])
}

func (c *Call) recvRest() {
	c.received(c.Args[1], min(uint64(c.result), c.Args[2]))
	c.next()
	c.unsigned(c.Args[2])
	c.next()
	c.messageFlags(c.Args[3])
}

func (c *Call) recvfrom() {
	c.read()
	c.offeredRoom(c.Args[4], c.Args[5])
}

func (c *Call) recvfromRest() {
	c.recvRest()
	c.next()
	var length []byte
	readable := c.Args[4] != 0 && c.Args[5] != 0
	if readable {
		length, readable = c.peek(c.Args[5], 4)
	}
	switch {
	case !readable:
		c.pointer(c.Args[4])
		c.next()
		c.pointer(c.Args[5])
	case c.failed():
		c.pointer(c.Args[4])
		c.next()
		c.roomOnly()
	default:
		c.filledAddress(c.Args[4], int32(order.Uint32(length)))
	}
}

func (c *Call) messageFlags(arg uint64) { c.flags(uint64(uint32(arg)), "MSG_???", messageFlags) }

// messageFlags are those of recv, send and their like.
var messageFlags = symbols{
	{0x1, "MSG_OOB"}, {0x2, "MSG_PEEK"}, {0x4, "MSG_DONTROUTE"}, {0x8, "MSG_CTRUNC"}, {0x10, "MSG_PROBE"},
	{0x20, "MSG_TRUNC"}, {0x40, "MSG_DONTWAIT"}, {0x80, "MSG_EOR"}, {0x100, "MSG_WAITALL"}, {0x200, "MSG_FIN"},
	{0x400, "MSG_SYN"}, {0x800, "MSG_CONFIRM"}, {0x1000, "MSG_RST"}, {0x2000, "MSG_ERRQUEUE"},
	{0x4000, "MSG_NOSIGNAL"}, {0x8000, "MSG_MORE"}, {0x10000, "MSG_WAITFORONE"},
	{0x20000, "MSG_SENDPAGE_NOTLAST"}, {0x40000, "MSG_BATCH"}, {0x80000, "MSG_NO_SHARED_FRAGS"},
	{0x4000000, "MSG_ZEROCOPY"}, {0x20000000, "MSG_FASTOPEN"}, {0x40000000, "MSG_CMSG_CLOEXEC"},
	{0x80000000, "MSG_CMSG_COMPAT"},
}

// sendfile appends where in the file it begins, and when it has returned where it ended.
func (c *Call) sendfile() {
	c.descriptor(c.Args[0])
	c.next()
	c.descriptor(c.Args[1])
	c.next()
	if c.offset() && (c.offsetIs64() || c.Args[3] != 0) {
		return
	}
	c.ended = true
	c.next()
	c.unsigned(c.Args[3])
}

func (c *Call) sendfileRest() {
	if !c.failed() && c.result != 0 {
		c.text(" => ")
		c.offset()
	}
	c.next()
	c.unsigned(c.Args[3])
}

func (c *Call) offsetIs64() bool { return c.Name == "sendfile64" }

func (c *Call) offset() bool {
	if !c.offsetIs64() {
		return c.longAt(c.Args[2])
	}
	p, ok := c.fetch(c.Args[2], 8)
	if ok {
		c.text("[")
		c.unsigned(order.Uint64(p))
		c.text("]")
	}
	return ok
}

func (c *Call) splice() {
	c.descriptor(c.Args[0])
	c.next()
	c.offsetAt(c.Args[1])
	c.next()
	c.descriptor(c.Args[2])
	c.next()
	c.offsetAt(c.Args[3])
	c.next()
	c.unsigned(c.Args[4])
	c.next()
	c.flags(uint64(uint32(c.Args[5])), "SPLICE_F_???", spliceFlags)
}

// offsetAt appends a loff_t.
func (c *Call) offsetAt(addr uint64) {
	if p, ok := c.fetch(addr, 8); ok {
		c.text("[")
		c.decimal(int64(order.Uint64(p)))
		c.text("]")
	}
}

var spliceFlags = symbols{
	{1, "SPLICE_F_MOVE"}, {2, "SPLICE_F_NONBLOCK"}, {4, "SPLICE_F_MORE"}, {8, "SPLICE_F_GIFT"},
}
