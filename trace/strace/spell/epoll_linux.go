package spell

import (
	"lbaws/trace/strace/field"
	"lbaws/trace/strace/symbol"
)

func (c *Call) epollCreate() { c.w.Integer(c.Args[0]) }

func (c *Call) epollCreate1() {
	c.w.Flags(uint64(uint32(c.Args[0])), "EPOLL_???", symbol.EpollFlags)
}

const epollDel = 2

func (c *Call) epollCtl() {
	operation := uint64(uint32(c.Args[1]))
	c.w.Descriptor(c.Args[0])
	c.w.Next()
	c.w.Symbol(operation, "EPOLL_CTL_???", symbol.EpollOperations)
	c.w.Next()
	c.w.Descriptor(c.Args[2])
	c.w.Next()
	if operation == epollDel {
		c.w.Pointer(c.Args[3])
	} else if p, ok := c.w.Fetch(c.Args[3], c.epollSize()); ok {
		c.epollElement(p)
	}
}

// epollSize is the size of a struct epoll_event: only x86 has nothing between its fields.
func (c *Call) epollSize() uint64 {
	if symbol.IsX86(c.arch) {
		return 12
	}
	return 16
}

func (c *Call) epollElement(p []byte) bool {
	data := p[c.epollSize()-8:]
	c.w.Text("{events=")
	c.w.Flags(uint64(field.Order.Uint32(p)), "EPOLL???", symbol.EpollEvents)
	c.w.Text(", data={u32=")
	c.w.Unsigned(uint64(field.Order.Uint32(data)))
	c.w.Text(", u64=")
	c.w.Unsigned(field.Order.Uint64(data))
	c.w.Text("}}")
	return true
}

func (c *Call) epollWait() {
	c.w.Descriptor(c.Args[0])
	c.w.Next()
}

func (c *Call) epollEvents() {
	c.w.Array(c.Args[1], uint64(c.result), c.epollSize(), c.epollElement)
	c.w.Next()
	c.w.Integer(c.Args[2])
	c.w.Next()
}

func (c *Call) epollWaitRest() {
	c.epollEvents()
	c.w.Integer(c.Args[3])
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
	c.w.Next()
	c.w.SignalSet(c.Args[4], c.Args[5])
	c.w.Next()
	c.w.Unsigned(c.Args[5])
}
