package spell

import (
	"lbaws/trace/strace/field"
	"lbaws/trace/strace/symbol"
)

// ioctl(2): the commands of sockets and terminals. Of other devices' the number is taken
// apart, as strace does with those that it does not know.

const (
	xonxoff, flush              = 0x540a, 0x540b // TCXONC, TCFLSH
	windowAsked, windowGiven    = 0x5413, 0x5414 // TIOCGWINSZ, TIOCSWINSZ
	forTerminals, forInterfaces = 'T', 0x89
)

func (c *Call) ioctl() {
	code := uint64(c.command())
	c.w.Descriptor(c.Args[0])
	c.w.Next()
	if name := symbol.Ioctls.Of(code); name != "" {
		c.w.Text(name)
	} else {
		c.ioctlCode(code)
	}
	if symbol.WithoutArgument.Of(code) != "" {
		c.ended = true
		return
	}
	kind := code >> 8 & 0xff
	isGiven := kind == forTerminals || kind == forInterfaces
	if code == windowAsked || symbol.StructsAsked.Of(code) != "" || symbol.NumbersAsked.Of(code) != "" || !isGiven {
		return
	}
	c.ended = true
	c.w.Next()
	c.ioctlArgument(code)
}

func (c *Call) ioctlRest() {
	c.w.Next()
	c.ioctlArgument(uint64(c.command()))
}

func (c *Call) ioctlArgument(code uint64) {
	arg := c.Args[2]
	switch {
	case symbol.NumbersGiven.Of(code) != "" || symbol.NumbersAsked.Of(code) != "":
		c.w.IntAt(arg)
	case code == windowAsked || code == windowGiven:
		c.window(arg)
	case symbol.PlainNumbers.Of(code) != "":
		c.w.Integer(arg)
	case code == xonxoff:
		c.w.Symbol(arg, "TC???", symbol.FlowActions)
	case code == flush:
		c.w.Symbol(arg, "TC???", symbol.Flushes)
	case isStruct(code):
		c.w.Pointer(arg)
	default:
		c.w.Hex(arg)
	}
}

// isStruct reports whether a command is given a struct, or a place for one. What is in it is
// not spelled here.
func isStruct(code uint64) bool {
	switch code {
	case 0x5412, 0x5416, 0x5417, 0x5418, 0x5457, 0x402c542b, 0x402c542c, 0x402c542d:
		return true // TIOCSTI, TIOCMBIS and its like, TIOCSLCKTRMIOS, TCSETS2 and its like
	case 0x89e0, 0x89f0:
		return false // SIOCPROTOPRIVATE, SIOCDEVPRIVATE
	}
	return code >= 0x5401 && code <= 0x5408 || symbol.StructsAsked.Of(code) != "" || code>>8&0xff == forInterfaces && symbol.Ioctls.Of(code) != ""
}

// ioctlCode takes the number of a command apart. Source: asm-generic/ioctl.h.
func (c *Call) ioctlCode(code uint64) {
	c.w.Text("_IOC(")
	if direction := code >> 30; direction == 0 {
		c.w.Text("_IOC_NONE")
	} else {
		c.w.Flags(direction, "_IOC_???", symbol.Directions)
	}
	for _, part := range []uint64{code >> 8 & 0xff, code & 0xff, code >> 16 & 0x3fff} {
		c.w.Next()
		c.w.Hex(part)
	}
	c.w.Text(")")
}

// window appends a struct winsize.
func (c *Call) window(addr uint64) {
	p, ok := c.w.Fetch(addr, 8)
	if !ok {
		return
	}
	for i, name := range []string{"{ws_row=", ", ws_col=", ", ws_xpixel=", ", ws_ypixel="} {
		c.w.Text(name)
		c.w.Unsigned(uint64(field.Order.Uint16(p[2*i:])))
	}
	c.w.Text("}")
}
