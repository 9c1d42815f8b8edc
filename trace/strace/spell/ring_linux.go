package spell

// The calls of io_uring. Source: io_uring_setup(2), io_uring_enter(2).

const (
	ringSize     = 120 // of a struct io_uring_params
	attachWorker = 0x20
)

var ringFlags = symbols{
	{0x1, "IORING_SETUP_IOPOLL"}, {0x2, "IORING_SETUP_SQPOLL"}, {0x4, "IORING_SETUP_SQ_AFF"},
	{0x8, "IORING_SETUP_CQSIZE"}, {0x10, "IORING_SETUP_CLAMP"}, {attachWorker, "IORING_SETUP_ATTACH_WQ"},
	{0x40, "IORING_SETUP_R_DISABLED"}, {0x80, "IORING_SETUP_SUBMIT_ALL"},
	{0x100, "IORING_SETUP_COOP_TASKRUN"}, {0x200, "IORING_SETUP_TASKRUN_FLAG"},
	{0x400, "IORING_SETUP_SQE128"}, {0x800, "IORING_SETUP_CQE32"},
}

var ringFeatures = symbols{
	{0x1, "IORING_FEAT_SINGLE_MMAP"}, {0x2, "IORING_FEAT_NODROP"}, {0x4, "IORING_FEAT_SUBMIT_STABLE"},
	{0x8, "IORING_FEAT_RW_CUR_POS"}, {0x10, "IORING_FEAT_CUR_PERSONALITY"}, {0x20, "IORING_FEAT_FAST_POLL"},
	{0x40, "IORING_FEAT_POLL_32BITS"}, {0x80, "IORING_FEAT_SQPOLL_NONFIXED"}, {0x100, "IORING_FEAT_EXT_ARG"},
	{0x200, "IORING_FEAT_NATIVE_WORKERS"}, {0x400, "IORING_FEAT_RSRC_TAGS"}, {0x800, "IORING_FEAT_CQE_SKIP"},
	{0x1000, "IORING_FEAT_LINKED_FILE"},
}

func (c *Call) ringSetup() {
	c.unsigned(uint64(uint32(c.Args[0])))
	c.next()
	p, ok := c.fetch(c.Args[1], ringSize)
	if !ok {
		c.ended = true
		return
	}
	field := func(i int) uint64 { return uint64(order.Uint32(p[4*i:])) }
	c.text("{flags=")
	c.flags(field(2), "IORING_SETUP_???", ringFlags)
	c.text(", sq_thread_cpu=")
	c.hex(field(3))
	c.text(", sq_thread_idle=")
	c.unsigned(field(4))
	if field(2)&attachWorker != 0 {
		c.text(", wq_fd=")
		c.integer(field(6))
	}
	if field(7)|field(8)|field(9) != 0 {
		c.text(", resv=[")
		c.hex(field(7))
		c.next()
		c.hex(field(8))
		c.next()
		c.hex(field(9))
		c.text("]")
	}
}

func (c *Call) ringSetupRest() {
	defer c.text("}")
	if c.failed() {
		return
	}
	p, ok := c.peek(c.Args[1], ringSize)
	if !ok {
		return
	}
	c.text(", sq_entries=")
	c.unsigned(uint64(order.Uint32(p)))
	c.text(", cq_entries=")
	c.unsigned(uint64(order.Uint32(p[4:])))
	c.text(", features=")
	c.flags(uint64(order.Uint32(p[20:])), "IORING_FEAT_???", ringFeatures)
	c.text(", sq_off={head=")
	c.ringOffsets(p[40:80], "tail", "ring_mask", "ring_entries", "flags", "dropped", "array")
	c.text(", cq_off={head=")
	c.ringOffsets(p[80:], "tail", "ring_mask", "ring_entries", "overflow", "cqes", "flags")
}

// ringOffsets appends a struct io_sqring_offsets or io_cqring_offsets behind its first name.
func (c *Call) ringOffsets(p []byte, names ...string) {
	c.unsigned(uint64(order.Uint32(p)))
	for i, name := range names {
		c.next()
		c.text(name)
		c.text("=")
		c.unsigned(uint64(order.Uint32(p[4+4*i:])))
	}
	if reserved := order.Uint32(p[28:]); reserved != 0 {
		c.text(", resv1=")
		c.hex(uint64(reserved))
	}
	if reserved := order.Uint64(p[32:]); reserved != 0 {
		c.text(", resv2=")
		c.hex(reserved)
	}
	c.text("}")
}

func (c *Call) ringEnter() {
	c.descriptor(c.Args[0])
	c.next()
	c.unsigned(uint64(uint32(c.Args[1])))
	c.next()
	c.unsigned(uint64(uint32(c.Args[2])))
	c.next()
	c.flags(uint64(uint32(c.Args[3])), "IORING_ENTER_???", enterFlags)
	c.next()
	c.signalSet(c.Args[4], c.Args[5])
	c.next()
	c.unsigned(c.Args[5])
}

var enterFlags = symbols{
	{1, "IORING_ENTER_GETEVENTS"}, {2, "IORING_ENTER_SQ_WAKEUP"}, {4, "IORING_ENTER_SQ_WAIT"},
	{8, "IORING_ENTER_EXT_ARG"}, {16, "IORING_ENTER_REGISTERED_RING"},
}
