package spell

import (
	"lbaws/trace/strace/field"
	"lbaws/trace/strace/symbol"
)

// timespecAt appends a struct timespec of the kernel's: that of a call of 32-bit programs
// whose name does not end in "_time64" has fields of 4 bytes.
func (c *Call) timespecAt(addr uint64) {
	c.timeAt(addr, c.timeField(), field.Nanoseconds)
}

// timevalAt appends a struct timeval.
func (c *Call) timevalAt(addr uint64) { c.timeAt(addr, c.w.Word(), field.Microseconds) }

func (c *Call) timeAt(addr, size uint64, part string) {
	if c.w.Failed {
		c.w.Pointer(addr)
		return
	}
	c.w.Time(c.w.ReadTime(addr, size), part)
}

func (c *Call) timeField() uint64 {
	const suffix = "_time64"
	if c.w.Wide || c.Name == "epoll_pwait2" || len(c.Name) > len(suffix) && c.Name[len(c.Name)-len(suffix):] == suffix {
		return 8
	}
	return 4
}

// nanosleep: the time that remains means something only if a signal came.
func (c *Call) nanosleep() {
	c.timespecAt(c.Args[0])
	c.w.Next()
}

func (c *Call) nanosleepRest() { c.remaining(c.Args[1], c.interrupted()) }

func (c *Call) remaining(addr uint64, means bool) {
	if means {
		c.w.Time(c.w.ReadTime(addr, c.timeField()), field.Nanoseconds)
	} else {
		c.w.Pointer(addr)
	}
}

func (c *Call) clockNanosleep() {
	c.w.Symbol(uint64(uint32(c.Args[0])), "CLOCK_???", symbol.Clocks)
	c.w.Next()
	c.w.Flags(uint64(uint32(c.Args[1])), "TIMER_???", symbol.TimerFlags)
	c.w.Next()
	c.timespecAt(c.Args[2])
	c.w.Next()
}

func (c *Call) clockNanosleepRest() {
	c.remaining(c.Args[3], c.Args[1] == 0 && c.interrupted())
}
