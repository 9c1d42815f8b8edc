package spell

// timespec is a struct timespec, or with microseconds a struct timeval.
type timespec struct {
	addr, seconds, part uint64
	ok                  bool // it could be read
}

// readTime reads a time whose fields have the given number of bytes.
func (c *Call) readTime(addr, field uint64) timespec {
	t := timespec{addr: addr}
	if addr == 0 {
		return t
	}
	p, ok := c.peek(addr, 2*field)
	switch {
	case !ok:
		return t
	case field == 4:
		t.seconds, t.part = uint64(int64(int32(order.Uint32(p)))), uint64(order.Uint32(p[4:]))
	default:
		t.seconds, t.part = order.Uint64(p), order.Uint64(p[8:])
	}
	t.ok = true
	return t
}

// time appends a time, or the pointer if it could not be read.
func (c *Call) time(t timespec, part string) {
	if !t.ok {
		c.pointer(t.addr)
		return
	}
	c.text("{tv_sec=")
	c.decimal(int64(t.seconds))
	c.next()
	c.text(part)
	c.unsigned(t.part)
	c.text("}")
}

const nanoseconds, microseconds = "tv_nsec=", "tv_usec="

// timespecAt appends a struct timespec of the kernel's: that of a call of 32-bit programs
// whose name does not end in "_time64" has fields of 4 bytes.
func (c *Call) timespecAt(addr uint64) {
	c.timeAt(addr, c.timeField(), nanoseconds)
}

// timevalAt appends a struct timeval.
func (c *Call) timevalAt(addr uint64) { c.timeAt(addr, c.word(), microseconds) }

func (c *Call) timeAt(addr, field uint64, part string) {
	if c.failed() {
		c.pointer(addr)
		return
	}
	c.time(c.readTime(addr, field), part)
}

func (c *Call) timeField() uint64 {
	const suffix = "_time64"
	if c.wide || c.Name == "epoll_pwait2" || len(c.Name) > len(suffix) && c.Name[len(c.Name)-len(suffix):] == suffix {
		return 8
	}
	return 4
}

var clocks = symbols{
	{0, "CLOCK_REALTIME"}, {1, "CLOCK_MONOTONIC"}, {2, "CLOCK_PROCESS_CPUTIME_ID"},
	{3, "CLOCK_THREAD_CPUTIME_ID"}, {4, "CLOCK_MONOTONIC_RAW"}, {5, "CLOCK_REALTIME_COARSE"},
	{6, "CLOCK_MONOTONIC_COARSE"}, {7, "CLOCK_BOOTTIME"}, {8, "CLOCK_REALTIME_ALARM"},
	{9, "CLOCK_BOOTTIME_ALARM"}, {10, "CLOCK_SGI_CYCLE"}, {11, "CLOCK_TAI"},
}

// nanosleep: the time that remains means something only if a signal came.
func (c *Call) nanosleep() {
	c.timespecAt(c.Args[0])
	c.next()
}

func (c *Call) nanosleepRest() { c.remaining(c.Args[1], c.interrupted()) }

func (c *Call) remaining(addr uint64, means bool) {
	if means {
		c.time(c.readTime(addr, c.timeField()), nanoseconds)
	} else {
		c.pointer(addr)
	}
}

var timerFlags = symbols{{1, "TIMER_ABSTIME"}}

func (c *Call) clockNanosleep() {
	c.symbol(uint64(uint32(c.Args[0])), "CLOCK_???", clocks)
	c.next()
	c.flags(uint64(uint32(c.Args[1])), "TIMER_???", timerFlags)
	c.next()
	c.timespecAt(c.Args[2])
	c.next()
}

func (c *Call) clockNanosleepRest() {
	c.remaining(c.Args[3], c.Args[1] == 0 && c.interrupted())
}
