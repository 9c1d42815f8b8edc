package spell

import (
	"lbaws/trace/strace/field"
	"lbaws/trace/strace/symbol"
)

// The calls of io_uring. Source: io_uring_setup(2), io_uring_enter(2).

const (
	ringSize     = 120 // of a struct io_uring_params
	attachWorker = 0x20
)

func (c *Call) ringSetup() {
	c.w.Unsigned(uint64(uint32(c.Args[0])))
	c.w.Next()
	p, ok := c.w.Fetch(c.Args[1], ringSize)
	if !ok {
		c.ended = true
		return
	}
	field := func(i int) uint64 { return uint64(field.Order.Uint32(p[4*i:])) }
	c.w.Text("{flags=")
	c.w.Flags(field(2), "IORING_SETUP_???", symbol.RingFlags)
	c.w.Text(", sq_thread_cpu=")
	c.w.Hex(field(3))
	c.w.Text(", sq_thread_idle=")
	c.w.Unsigned(field(4))
	if field(2)&attachWorker != 0 {
		c.w.Text(", wq_fd=")
		c.w.Integer(field(6))
	}
	if field(7)|field(8)|field(9) != 0 {
		c.w.Text(", resv=[")
		c.w.Hex(field(7))
		c.w.Next()
		c.w.Hex(field(8))
		c.w.Next()
		c.w.Hex(field(9))
		c.w.Text("]")
	}
}

func (c *Call) ringSetupRest() {
	defer c.w.Text("}")
	if c.w.Failed {
		return
	}
	p, ok := c.w.Peek(c.Args[1], ringSize)
	if !ok {
		return
	}
	c.w.Text(", sq_entries=")
	c.w.Unsigned(uint64(field.Order.Uint32(p)))
	c.w.Text(", cq_entries=")
	c.w.Unsigned(uint64(field.Order.Uint32(p[4:])))
	c.w.Text(", features=")
	c.w.Flags(uint64(field.Order.Uint32(p[20:])), "IORING_FEAT_???", symbol.RingFeatures)
	c.w.Text(", sq_off={head=")
	c.ringOffsets(p[40:80], "tail", "ring_mask", "ring_entries", "flags", "dropped", "array")
	c.w.Text(", cq_off={head=")
	c.ringOffsets(p[80:], "tail", "ring_mask", "ring_entries", "overflow", "cqes", "flags")
}

// ringOffsets appends a struct io_sqring_offsets or io_cqring_offsets behind its first name.
func (c *Call) ringOffsets(p []byte, names ...string) {
	c.w.Unsigned(uint64(field.Order.Uint32(p)))
	for i, name := range names {
		c.w.Next()
		c.w.Text(name)
		c.w.Text("=")
		c.w.Unsigned(uint64(field.Order.Uint32(p[4+4*i:])))
	}
	if reserved := field.Order.Uint32(p[28:]); reserved != 0 {
		c.w.Text(", resv1=")
		c.w.Hex(uint64(reserved))
	}
	if reserved := field.Order.Uint64(p[32:]); reserved != 0 {
		c.w.Text(", resv2=")
		c.w.Hex(reserved)
	}
	c.w.Text("}")
}

func (c *Call) ringEnter() {
	c.w.Descriptor(c.Args[0])
	c.w.Next()
	c.w.Unsigned(uint64(uint32(c.Args[1])))
	c.w.Next()
	c.w.Unsigned(uint64(uint32(c.Args[2])))
	c.w.Next()
	c.w.Flags(uint64(uint32(c.Args[3])), "IORING_ENTER_???", symbol.EnterFlags)
	c.w.Next()
	c.w.SignalSet(c.Args[4], c.Args[5])
	c.w.Next()
	c.w.Unsigned(c.Args[5])
}
