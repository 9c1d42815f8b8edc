package spell

import (
	"math/bits"
	"strings"

	"golang.org/x/sys/unix"
)

// Calls that wait for descriptors: poll and select. What is ready stands behind the result,
// in parentheses.

const pollSize = 8 // of a struct pollfd

// poll appends what is waited for.
func (c *Call) poll() {
	c.pollDescriptors()
	c.integer(c.Args[2])
}

func (c *Call) pollDescriptors() {
	n := uint64(uint32(c.Args[1]))
	c.array(c.Args[0], n, pollSize, (*Call).pollElement)
	c.next()
	c.unsigned(n)
	c.next()
}

func (c *Call) pollElement(p []byte) bool {
	fd := int32(order.Uint32(p))
	c.text("{fd=")
	c.decimal(int64(fd))
	if fd >= 0 {
		c.text(", events=")
		c.flags(uint64(order.Uint16(p[4:])), "POLL???", pollEvents)
	}
	c.text("}")
	return true
}

func (c *Call) ppoll() {
	c.pollDescriptors()
	c.timespecAt(c.Args[2])
	c.next()
	c.signalSet(c.Args[3], c.Args[4])
	c.next()
	c.unsigned(c.Args[4])
}

const timedOut = " (Timeout)"

func (c *Call) pollResult()  { c.ready(0) }
func (c *Call) ppollResult() { c.ready(c.Args[2]) }

// ready appends the descriptors that are ready, and how long the program would have waited
// on.
func (c *Call) ready(timeout uint64) {
	c.number()
	if c.result == 0 {
		c.text(timedOut)
		return
	}
	addr, n := c.Args[0], min(uint64(uint32(c.Args[1])), mostDescriptors)
	if addr == 0 || n == 0 || addr+n*pollSize < addr {
		return
	}
	c.text(" (")
	start := len(c.b)
	c.readyDescriptors(addr, n)
	switch {
	case timeout != 0:
		if len(c.b) > start {
			c.next()
		}
		c.text("left ")
		c.timespecAt(timeout)
	case len(c.b) == start:
		c.b = c.b[:start-len(" (")]
		return
	}
	c.text(")")
}

// mostReady is how long strace lets the list of what is ready become, in bytes.
const mostReady = 1024 - 28

func (c *Call) readyDescriptors(addr, n uint64) {
	start, shown := len(c.b), 0
	for end := addr + n*pollSize; addr < end; addr += pollSize {
		p, ok := c.peek(addr, pollSize)
		if ok && order.Uint16(p[6:]) == 0 {
			continue
		}
		if len(c.b) == start {
			c.text("[")
		} else {
			c.next()
		}
		if !ok {
			c.pointer(addr)
			break
		}
		if shown >= c.limit {
			c.text("...")
			break
		}
		before := len(c.b)
		c.text("{fd=")
		c.integer(uint64(order.Uint32(p)))
		c.text(", revents=")
		c.auxiliaryFlags(uint64(order.Uint16(p[6:])), '|', false, pollEvents)
		if len(c.b)+1-start >= mostReady {
			c.b = append(c.b[:before], "..."...)
			break
		}
		c.text("}")
		shown++
	}
	if len(c.b) > start {
		c.text("]")
	}
}

// auxiliaryFlags appends flags as strace does behind a result, where those without a name
// have no remark. The separator stands before the first one, too, if something follows.
func (c *Call) auxiliaryFlags(bits uint64, separator byte, follows bool, tables ...symbols) {
	rest, found := c.bits(bits, separator, follows, tables...)
	if rest == 0 {
		return
	}
	if follows || found {
		c.b = append(c.b, separator)
	}
	c.hex(rest)
}

// pollEvents are those of poll.
var pollEvents = symbols{
	{0x1, "POLLIN"}, {0x2, "POLLPRI"}, {0x4, "POLLOUT"}, {0x8, "POLLERR"}, {0x10, "POLLHUP"},
	{0x20, "POLLNVAL"}, {0x40, "POLLRDNORM"}, {0x80, "POLLRDBAND"}, {0x100, "POLLWRNORM"},
	{0x200, "POLLWRBAND"}, {0x400, "POLLMSG"}, {0x1000, "POLLREMOVE"}, {0x2000, "POLLRDHUP"},
	{0x8000, "POLL_BUSY_LOOP"},
}

// signalSet appends a set of signals, or if most of them are in it, those that are not.
func (c *Call) signalSet(addr, size uint64) {
	const most = 8 // 64 signals
	if size < c.word() || size > most {
		c.pointer(addr)
		return
	}
	p, ok := c.fetch(addr, size)
	if !ok {
		return
	}
	var octets [most]byte
	copy(octets[:], p)
	words := (size + 3) / 4
	set, all := order.Uint64(octets[:]), ^uint64(0)>>(64-32*words)
	if uint64(bits.OnesCount64(set)) >= words*32*2/3 {
		c.text("~")
		set ^= all
	}
	separator := "["
	for i := 1; i <= 64; i++ {
		if set>>(i-1)&1 == 0 {
			continue
		}
		c.text(separator)
		separator = " "
		c.signalName(i)
	}
	if separator == "[" {
		c.text("[")
	}
	c.text("]")
}

// Realtime signals, as the kernel counts them.
const firstRealtime, lastRealtime = 32, 64

// signalName appends a signal's name without its first letters.
func (c *Call) signalName(number int) {
	switch {
	case number == firstRealtime:
		c.text("RTMIN")
	case number > firstRealtime:
		c.text("RT_")
		c.decimal(int64(number - firstRealtime))
	default:
		c.text(strings.TrimPrefix(unix.SignalName(unix.Signal(number)), "SIG"))
	}
}

// signal appends a signal.
func (c *Call) signal(number uint64) {
	n := int32(number)
	if n <= 0 || n > lastRealtime {
		c.decimal(int64(n))
		return
	}
	c.text("SIG")
	c.signalName(int(n))
}
