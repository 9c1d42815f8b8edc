package spell

import (
	"lbaws/trace/strace/field"
	"lbaws/trace/strace/symbol"
)

// Calls that wait for descriptors: poll and select. What is ready stands behind the result,
// in parentheses.

const pollSize = 8 // of a struct pollfd

// poll appends what is waited for.
func (c *Call) poll() {
	c.pollDescriptors()
	c.w.Integer(c.Args[2])
}

func (c *Call) pollDescriptors() {
	n := uint64(uint32(c.Args[1]))
	c.w.Array(c.Args[0], n, pollSize, c.pollElement)
	c.w.Next()
	c.w.Unsigned(n)
	c.w.Next()
}

func (c *Call) pollElement(p []byte) bool {
	fd := int32(field.Order.Uint32(p))
	c.w.Text("{fd=")
	c.w.Decimal(int64(fd))
	if fd >= 0 {
		c.w.Text(", events=")
		c.w.Flags(uint64(field.Order.Uint16(p[4:])), "POLL???", symbol.PollEvents)
	}
	c.w.Text("}")
	return true
}

func (c *Call) ppoll() {
	c.pollDescriptors()
	c.timespecAt(c.Args[2])
	c.w.Next()
	c.w.SignalSet(c.Args[3], c.Args[4])
	c.w.Next()
	c.w.Unsigned(c.Args[4])
}

const timedOut = " (Timeout)"

func (c *Call) pollResult()  { c.ready(0) }
func (c *Call) ppollResult() { c.ready(c.Args[2]) }

// ready appends the descriptors that are ready, and how long the program would have waited
// on.
func (c *Call) ready(timeout uint64) {
	c.number()
	if c.result == 0 {
		c.w.Text(timedOut)
		return
	}
	addr, n := c.Args[0], min(uint64(uint32(c.Args[1])), mostDescriptors)
	if addr == 0 || n == 0 || addr+n*pollSize < addr {
		return
	}
	c.w.Text(" (")
	start := len(c.w.B)
	c.readyDescriptors(addr, n)
	switch {
	case timeout != 0:
		if len(c.w.B) > start {
			c.w.Next()
		}
		c.w.Text("left ")
		c.timespecAt(timeout)
	case len(c.w.B) == start:
		c.w.B = c.w.B[:start-len(" (")]
		return
	}
	c.w.Text(")")
}

// mostReady is how long strace lets the list of what is ready become, in bytes.
const mostReady = 1024 - 28

func (c *Call) readyDescriptors(addr, n uint64) {
	start, shown := len(c.w.B), 0
	for end := addr + n*pollSize; addr < end; addr += pollSize {
		p, ok := c.w.Peek(addr, pollSize)
		if ok && field.Order.Uint16(p[6:]) == 0 {
			continue
		}
		if len(c.w.B) == start {
			c.w.Text("[")
		} else {
			c.w.Next()
		}
		if !ok {
			c.w.Pointer(addr)
			break
		}
		if shown >= c.w.Limit {
			c.w.Text("...")
			break
		}
		before := len(c.w.B)
		c.w.Text("{fd=")
		c.w.Integer(uint64(field.Order.Uint32(p)))
		c.w.Text(", revents=")
		c.w.AuxiliaryFlags(uint64(field.Order.Uint16(p[6:])), '|', false, symbol.PollEvents)
		if len(c.w.B)+1-start >= mostReady {
			c.w.B = append(c.w.B[:before], "..."...)
			break
		}
		c.w.Text("}")
		shown++
	}
	if len(c.w.B) > start {
		c.w.Text("]")
	}
}
