package spell

import "lbaws/trace/strace/field"

// Calls that wait for descriptors by sets of bits: select and pselect6.

// mostDescriptors is up to which descriptor a set is read.
const mostDescriptors = 1 << 20

// sets is how many bits of each set count, and how many bytes the sets have.
func (c *Call) sets() (n, size uint64) {
	n = uint64(min(max(int32(c.Args[0]), 0), mostDescriptors))
	word := c.w.Word()
	return n, ((n+7)/8 + word - 1) &^ (word - 1)
}

func (c *Call) selectSets() {
	c.w.Integer(c.Args[0])
	n, size := c.sets()
	for _, addr := range c.Args[1:4] {
		c.w.Next()
		if size == 0 || addr == 0 || !c.w.IsReadable(addr, size) {
			c.w.Pointer(addr)
			continue
		}
		c.w.Text("[")
		separator := ""
		c.w.EachBit(addr, n, func(fd uint64) bool {
			c.w.Text(separator)
			separator = " "
			c.w.Unsigned(fd)
			return true
		})
		c.w.Text("]")
	}
	c.w.Next()
}

func (c *Call) selecting() {
	c.selectSets()
	c.timevalAt(c.Args[4])
}

func (c *Call) pselect() {
	c.selectSets()
	c.timespecAt(c.Args[4])
	c.w.Next()
	addr := c.Args[5]
	if p, ok := c.w.Fetch(addr, 2*c.w.Word()); ok {
		set, size := c.w.LongIn(p), c.w.LongIn(p[c.w.Word():])
		c.w.Text("{sigmask=")
		c.w.SignalSet(set, size)
		c.w.Text(", sigsetsize=")
		c.w.Unsigned(size)
		c.w.Text("}")
	}
}

func (c *Call) selectResult() {
	c.selectReady(c.w.ReadTime(c.Args[4], c.w.Word()), field.Microseconds)
}

func (c *Call) pselectResult() {
	c.selectReady(c.w.ReadTime(c.Args[4], c.timeField()), field.Nanoseconds)
}

// mostSelected is how long strace lets the list become, in bytes.
const mostSelected = 1024 - 25

func (c *Call) selectReady(left field.Time, part string) {
	c.number()
	if c.result == 0 {
		c.w.Text(timedOut)
		return
	}
	c.w.Text(" (")
	start := len(c.w.B)
	more := int32(c.result)
	n, size := c.sets()
	for i, name := range []string{"in", "out", "except"} {
		addr := c.Args[1+i]
		if more <= 0 || addr == 0 || !c.w.IsReadable(addr, size) {
			continue
		}
		first := true
		c.w.EachBit(addr, n, func(fd uint64) bool {
			if len(c.w.B)-start < mostSelected {
				c.selected(name, fd, first, len(c.w.B) > start)
				first = false
			}
			more--
			return more > 0
		})
		if len(c.w.B) > start { // strace writes this of an empty set, too
			c.w.Text("]")
		}
	}
	if left.Addr != 0 {
		if len(c.w.B) > start {
			c.w.Next()
		}
		c.w.Text("left ")
		c.w.Time(left, part)
	}
	c.w.Text(")")
}

func (c *Call) selected(name string, fd uint64, first, follows bool) {
	if first {
		if follows {
			c.w.Next()
		}
		c.w.Text(name)
		c.w.Text(" [")
	} else {
		c.w.Text(" ")
	}
	c.w.Unsigned(fd)
}
