package spell

import "math/bits"

// Calls that wait for descriptors by sets of bits: select and pselect6.

// mostDescriptors is up to which descriptor a set is read.
const mostDescriptors = 1 << 20

// sets is how many bits of each set count, and how many bytes the sets have.
func (c *Call) sets() (n, size uint64) {
	n = uint64(min(max(int32(c.Args[0]), 0), mostDescriptors))
	word := c.word()
	return n, ((n+7)/8 + word - 1) &^ (word - 1)
}

func (c *Call) selectSets() {
	c.integer(c.Args[0])
	n, size := c.sets()
	for _, addr := range c.Args[1:4] {
		c.next()
		if size == 0 || addr == 0 || !c.isReadable(addr, size) {
			c.pointer(addr)
			continue
		}
		c.text("[")
		separator := ""
		c.eachDescriptor(addr, n, func(fd uint64) bool {
			c.text(separator)
			separator = " "
			c.unsigned(fd)
			return true
		})
		c.text("]")
	}
	c.next()
}

// eachDescriptor calls do for each bit that is set, until it returns false.
func (c *Call) eachDescriptor(addr, n uint64, do func(fd uint64) bool) {
	for from := uint64(0); from < n; from += 64 {
		p, ok := c.peek(addr+from/8, min(8, (n-from+7)/8))
		if !ok {
			return
		}
		var octets [8]byte
		copy(octets[:], p)
		for set := order.Uint64(octets[:]); set != 0; set &= set - 1 {
			fd := from + uint64(bits.TrailingZeros64(set))
			if fd >= n || !do(fd) {
				return
			}
		}
	}
}

func (c *Call) selecting() {
	c.selectSets()
	c.timevalAt(c.Args[4])
}

func (c *Call) pselect() {
	c.selectSets()
	c.timespecAt(c.Args[4])
	c.next()
	addr := c.Args[5]
	if p, ok := c.fetch(addr, 2*c.word()); ok {
		set, size := c.long(p), c.long(p[c.word():])
		c.text("{sigmask=")
		c.signalSet(set, size)
		c.text(", sigsetsize=")
		c.unsigned(size)
		c.text("}")
	}
}

func (c *Call) selectResult() {
	c.selectReady(c.readTime(c.Args[4], c.word()), microseconds)
}

func (c *Call) pselectResult() {
	c.selectReady(c.readTime(c.Args[4], c.timeField()), nanoseconds)
}

// mostSelected is how long strace lets the list become, in bytes.
const mostSelected = 1024 - 25

func (c *Call) selectReady(left timespec, part string) {
	c.number()
	if c.result == 0 {
		c.text(timedOut)
		return
	}
	c.text(" (")
	start := len(c.b)
	more := int32(c.result)
	n, size := c.sets()
	for i, name := range []string{"in", "out", "except"} {
		addr := c.Args[1+i]
		if more <= 0 || addr == 0 || !c.isReadable(addr, size) {
			continue
		}
		first := true
		c.eachDescriptor(addr, n, func(fd uint64) bool {
			if len(c.b)-start < mostSelected {
				c.selected(name, fd, first, len(c.b) > start)
				first = false
			}
			more--
			return more > 0
		})
		if len(c.b) > start { // strace writes this of an empty set, too
			c.text("]")
		}
	}
	if left.addr != 0 {
		if len(c.b) > start {
			c.next()
		}
		c.text("left ")
		c.time(left, part)
	}
	c.text(")")
}

func (c *Call) selected(name string, fd uint64, first, follows bool) {
	if first {
		if follows {
			c.next()
		}
		c.text(name)
		c.text(" [")
	} else {
		c.text(" ")
	}
	c.unsigned(fd)
}
