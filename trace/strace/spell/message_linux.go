package spell

import "lbaws/trace/strace/field"

// Calls that send and receive a struct msghdr. Source: recvmsg(2), recvmmsg(2).

// message is a struct msghdr; length is the one behind it in a struct mmsghdr.
type message struct {
	name, vector, vectorLength, control, controlLength uint64
	nameLength                                         int32
	flags, length                                      uint32
}

func (c *Call) messageSize() uint64 { return 7 * c.w.Word() }

// parseMessage reads a struct msghdr, or a struct mmsghdr if p has that many bytes.
func (c *Call) parseMessage(p []byte) message {
	word := c.w.Word()
	long := func(i uint64) uint64 { return c.w.LongIn(p[i*word:]) }
	m := message{
		name: long(0), nameLength: int32(field.Order.Uint32(p[word:])), vector: long(2), vectorLength: long(3),
		control: long(4), controlLength: long(5), flags: field.Order.Uint32(p[6*word:]),
	}
	if size := c.messageSize(); uint64(len(p)) > size {
		m.length = field.Order.Uint32(p[size:])
	}
	return m
}

func (c *Call) sendmsg() {
	c.w.Descriptor(c.Args[0])
	c.w.Next()
	if p, ok := c.peekMessage(); ok {
		m := c.parseMessage(p)
		c.message(&m, m.nameLength, everything)
	} else {
		c.w.Pointer(c.Args[1])
	}
	c.w.Next()
	c.messageFlags(c.Args[2])
}

func (c *Call) peekMessage() ([]byte, bool) {
	if c.Args[1] == 0 {
		return nil, false
	}
	return c.w.Peek(c.Args[1], c.messageSize())
}

func (c *Call) recvmsg() {
	c.w.Descriptor(c.Args[0])
	c.w.Next()
	if p, ok := c.peekMessage(); ok {
		c.room = c.parseMessage(p).nameLength
		return
	}
	c.ended = true
	c.w.Pointer(c.Args[1])
	c.w.Next()
	c.messageFlags(c.Args[2])
}

func (c *Call) recvmsgRest() {
	p, ok := c.peekMessage()
	switch {
	case c.w.Failed:
		c.w.Text("{msg_namelen=")
		c.w.Decimal(int64(c.room))
		c.w.Text("}")
	case !ok:
		c.w.Pointer(c.Args[1])
	default:
		m := c.parseMessage(p)
		c.message(&m, c.room, uint64(c.result))
	}
	c.w.Next()
	c.messageFlags(c.Args[2])
}

// message appends a message whose name had the given room, and of whose vector the first
// bytes mean something.
func (c *Call) message(m *message, room int32, bytes uint64) {
	c.w.Text("{msg_name=")
	c.w.Address(m.name, min(m.nameLength, room))
	c.w.Text(", msg_namelen=")
	if room != m.nameLength {
		c.w.Decimal(int64(room))
		c.w.Text(" => ")
	}
	c.w.Decimal(int64(m.nameLength))
	c.w.Text(", msg_iov=")
	c.vector(m.vector, m.vectorLength, bytes)
	c.w.Text(", msg_iovlen=")
	c.w.Unsigned(m.vectorLength)
	if m.controlLength != 0 {
		c.w.Text(", msg_control=")
		c.control(m.control, m.controlLength)
	}
	c.w.Text(", msg_controllen=")
	c.w.Unsigned(m.controlLength)
	c.w.Text(", msg_flags=")
	c.messageFlags(uint64(m.flags))
	c.w.Text("}")
}

// A program sends and receives no more messages with one call.
const mostMessages = 1024 // IOV_MAX

func (c *Call) multipleSize() uint64 { return c.messageSize() + c.w.Word() } // struct mmsghdr

func (c *Call) sendmmsgRest() {
	sent := uint64(0)
	if !c.w.Failed {
		sent = uint64(c.result)
	}
	c.w.Failed = false // what the program gave is shown if it failed, too
	c.messages(uint64(uint32(c.Args[2])), mostMessages, sent, false)
	c.w.Next()
	c.w.Unsigned(uint64(uint32(c.Args[2])))
	c.w.Next()
	c.messageFlags(c.Args[3])
}

// messages appends n messages, but no more than readable of them, and of the first ones how
// long the kernel says that they are.
func (c *Call) messages(n uint64, readable int, lengths uint64, received bool) {
	i := 0
	element := func(p []byte) bool {
		if i == readable {
			c.w.Text("...")
			return false
		}
		m := c.parseMessage(p)
		room, bytes := m.nameLength, everything
		if received {
			room, bytes = c.names[i], uint64(m.length)
		}
		c.w.Text("{msg_hdr=")
		c.message(&m, room, bytes)
		if uint64(i) < lengths {
			c.w.Text(", msg_len=")
			c.w.Unsigned(uint64(m.length))
		}
		c.w.Text("}")
		i++
		return true
	}
	c.w.ArrayOf(c.Args[1], n, c.multipleSize(), received && c.w.Failed, element)
}

// recvmmsg: the kernel changes the names' lengths, and the time if there is one.
func (c *Call) recvmmsg() {
	c.w.Descriptor(c.Args[0])
	c.w.Next()
	size := c.multipleSize()
	for i := range min(uint64(uint32(c.Args[2])), mostMessages) {
		p, ok := c.w.Peek(c.Args[1]+i*size, size)
		if !ok {
			break
		}
		c.names = append(c.names, c.parseMessage(p).nameLength)
	}
	c.timeout = c.w.ReadTime(c.Args[4], c.timeField())
}

func (c *Call) recvmmsgRest() {
	received := uint64(uint32(c.result))
	c.messages(received, len(c.names), received, true)
	c.w.Next()
	c.w.Unsigned(uint64(uint32(c.Args[2])))
	c.w.Next()
	c.messageFlags(c.Args[3])
	c.w.Next()
	c.w.Time(c.timeout, field.Nanoseconds)
}

func (c *Call) recvmmsgResult() {
	c.number()
	switch {
	case c.result == 0:
		c.w.Text(" (Timeout)")
	case c.Args[4] != 0:
		c.w.Text(" (left ")
		c.timespecAt(c.Args[4])
		c.w.Text(")")
	}
}
