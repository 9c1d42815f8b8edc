package spell

func (c *Call) epollCreate() { c.integer(c.Args[0]) }

func (c *Call) epollCreate1() {
	c.flags(uint64(uint32(c.Args[0])), "EPOLL_???", symbols{{0x80000, "EPOLL_CLOEXEC"}})
}

const epollDel = 2

var epollOperations = symbols{{1, "EPOLL_CTL_ADD"}, {epollDel, "EPOLL_CTL_DEL"}, {3, "EPOLL_CTL_MOD"}}

func (c *Call) epollCtl() {
	operation := uint64(uint32(c.Args[1]))
	c.descriptor(c.Args[0])
	c.next()
	c.symbol(operation, "EPOLL_CTL_???", epollOperations)
	c.next()
	c.descriptor(c.Args[2])
	c.next()
	if operation == epollDel {
		c.pointer(c.Args[3])
	} else if p, ok := c.fetch(c.Args[3], c.epollSize()); ok {
		c.epollElement(p)
	}
}

// epollSize is the size of a struct epoll_event: only x86 has nothing between its fields.
func (c *Call) epollSize() uint64 {
	if isX86(c.arch) {
		return 12
	}
	return 16
}

func (c *Call) epollElement(p []byte) bool {
	data := p[c.epollSize()-8:]
	c.text("{events=")
	c.flags(uint64(order.Uint32(p)), "EPOLL???", epollEvents)
	c.text(", data={u32=")
	c.unsigned(uint64(order.Uint32(data)))
	c.text(", u64=")
	c.unsigned(order.Uint64(data))
	c.text("}}")
	return true
}

func (c *Call) epollWait() {
	c.descriptor(c.Args[0])
	c.next()
}

func (c *Call) epollEvents() {
	c.array(c.Args[1], uint64(c.result), c.epollSize(), (*Call).epollElement)
	c.next()
	c.integer(c.Args[2])
	c.next()
}

func (c *Call) epollWaitRest() {
	c.epollEvents()
	c.integer(c.Args[3])
}

func (c *Call) epollPwaitRest() {
	c.epollWaitRest()
	c.epollSignals()
}

func (c *Call) epollPwait2Rest() {
	c.epollEvents()
	c.timespecAt(c.Args[3])
	c.epollSignals()
}

func (c *Call) epollSignals() {
	c.next()
	c.signalSet(c.Args[4], c.Args[5])
	c.next()
	c.unsigned(c.Args[5])
}

// epollEvents are those of epoll.
var epollEvents = symbols{
	{0x1, "EPOLLIN"}, {0x2, "EPOLLPRI"}, {0x4, "EPOLLOUT"}, {0x8, "EPOLLERR"}, {0x10, "EPOLLHUP"},
	{0x20, "EPOLLNVAL"}, {0x40, "EPOLLRDNORM"}, {0x80, "EPOLLRDBAND"}, {0x100, "EPOLLWRNORM"},
	{0x200, "EPOLLWRBAND"}, {0x400, "EPOLLMSG"}, {0x2000, "EPOLLRDHUP"}, {0x10000000, "EPOLLEXCLUSIVE"},
	{0x20000000, "EPOLLWAKEUP"}, {0x40000000, "EPOLLONESHOT"}, {0x80000000, "EPOLLET"},
}
