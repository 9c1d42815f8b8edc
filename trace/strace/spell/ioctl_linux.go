package spell

// ioctl(2): the commands of sockets and terminals. Of other devices' the number is taken
// apart, as strace does with those that it does not know.

// What stands behind the pointer that an ioctl is given.
var (
	numbersGiven = symbols{
		{0x5410, "TIOCSPGRP"}, {0x541a, "TIOCSSOFTCAR"}, {0x5420, "TIOCPKT"}, {0x5421, "FIONBIO"},
		{0x5423, "TIOCSETD"}, {0x5452, "FIOASYNC"}, {0x40045431, "TIOCSPTLCK"}, {0x8901, "FIOSETOWN"},
		{0x8902, "SIOCSPGRP"}, {0x8926, "SIOCSIFENCAP"},
	}
	numbersAsked = symbols{
		{0x540f, "TIOCGPGRP"}, {0x5411, "TIOCOUTQ"}, {0x5419, "TIOCGSOFTCAR"}, {0x541b, "FIONREAD"},
		{0x5424, "TIOCGETD"}, {0x5429, "TIOCGSID"}, {0x80045430, "TIOCGPTN"}, {0x80045432, "TIOCGDEV"},
		{0x80045440, "TIOCGEXCL"}, {0x8903, "FIOGETOWN"}, {0x8904, "SIOCGPGRP"}, {0x8905, "SIOCATMARK"},
		{0x8925, "SIOCGIFENCAP"}, {0x894b, "SIOCOUTQNSD"},
	}
	withoutArgument = symbols{
		{0x540c, "TIOCEXCL"}, {0x540d, "TIOCNXCL"}, {0x541d, "TIOCCONS"}, {0x541f, "TIOCSSERIAL"},
		{0x5422, "TIOCNOTTY"}, {0x5427, "TIOCSBRK"}, {0x5428, "TIOCCBRK"}, {0x5437, "TIOCVHANGUP"},
		{0x5450, "FIONCLEX"}, {0x5451, "FIOCLEX"},
	}
	plainNumbers = symbols{{0x5409, "TCSBRK"}, {0x540e, "TIOCSCTTY"}, {0x5425, "TCSBRKP"}}
	directions   = symbols{{2, "_IOC_READ"}, {1, "_IOC_WRITE"}}
)

const (
	xonxoff, flush              = 0x540a, 0x540b // TCXONC, TCFLSH
	windowAsked, windowGiven    = 0x5413, 0x5414 // TIOCGWINSZ, TIOCSWINSZ
	forTerminals, forInterfaces = 'T', 0x89
)

func (c *Call) ioctl() {
	code := uint64(c.command())
	c.descriptor(c.Args[0])
	c.next()
	if name := ioctls.of(code); name != "" {
		c.text(name)
	} else {
		c.ioctlCode(code)
	}
	if withoutArgument.of(code) != "" {
		c.ended = true
		return
	}
	kind := code >> 8 & 0xff
	isGiven := kind == forTerminals || kind == forInterfaces
	if code == windowAsked || numbersAsked.of(code) != "" || !isGiven {
		return
	}
	c.ended = true
	c.next()
	c.ioctlArgument(code)
}

func (c *Call) ioctlRest() {
	c.next()
	c.ioctlArgument(uint64(c.command()))
}

func (c *Call) ioctlArgument(code uint64) {
	arg := c.Args[2]
	switch {
	case numbersGiven.of(code) != "" || numbersAsked.of(code) != "":
		c.intAt(arg)
	case code == windowAsked || code == windowGiven:
		c.window(arg)
	case plainNumbers.of(code) != "":
		c.integer(arg)
	case code == xonxoff:
		c.symbol(arg, "TC???", symbols{{0, "TCOOFF"}, {1, "TCOON"}, {2, "TCIOFF"}, {3, "TCION"}})
	case code == flush:
		c.symbol(arg, "TC???", symbols{{0, "TCIFLUSH"}, {1, "TCOFLUSH"}, {2, "TCIOFLUSH"}})
	case isStruct(code):
		c.pointer(arg)
	default:
		c.hex(arg)
	}
}

// isStruct reports whether a command is given a struct, or a place for one. What is in it is
// not spelled here.
func isStruct(code uint64) bool {
	switch code {
	case 0x5412, 0x5415, 0x5416, 0x5417, 0x5418, 0x5456, 0x5457, 0x802c542a, 0x402c542b, 0x402c542c, 0x402c542d:
		return true // TIOCSTI, TIOCMGET and its like, TIOCGLCKTRMIOS, TCGETS2 and its like
	case 0x89e0, 0x89f0:
		return false // SIOCPROTOPRIVATE, SIOCDEVPRIVATE
	}
	return code >= 0x5401 && code <= 0x5408 || code>>8&0xff == forInterfaces && ioctls.of(code) != ""
}

// ioctlCode takes the number of a command apart. Source: asm-generic/ioctl.h.
func (c *Call) ioctlCode(code uint64) {
	c.text("_IOC(")
	if direction := code >> 30; direction == 0 {
		c.text("_IOC_NONE")
	} else {
		c.flags(direction, "_IOC_???", directions)
	}
	for _, part := range []uint64{code >> 8 & 0xff, code & 0xff, code >> 16 & 0x3fff} {
		c.next()
		c.hex(part)
	}
	c.text(")")
}

// window appends a struct winsize.
func (c *Call) window(addr uint64) {
	p, ok := c.fetch(addr, 8)
	if !ok {
		return
	}
	for i, name := range []string{"{ws_row=", ", ws_col=", ", ws_xpixel=", ", ws_ypixel="} {
		c.text(name)
		c.unsigned(uint64(order.Uint16(p[2*i:])))
	}
	c.text("}")
}

// ioctls are the names of the commands of terminals and sockets. A number of a terminal's
// may be that of a sound card's, too.
var ioctls = symbols{
	{0x5401, "TCGETS"}, {0x5402, "SNDCTL_TMR_START or TCSETS"},
	{0x5403, "SNDCTL_TMR_STOP or TCSETSW"}, {0x5404, "SNDCTL_TMR_CONTINUE or TCSETSF"},
	{0x5405, "TCGETA"}, {0x5406, "TCSETA"}, {0x5407, "TCSETAW"}, {0x5408, "TCSETAF"},
	{0x5409, "TCSBRK"}, {0x540a, "TCXONC"}, {0x540b, "TCFLSH"}, {0x540c, "TIOCEXCL"},
	{0x540d, "TIOCNXCL"}, {0x540e, "TIOCSCTTY"}, {0x540f, "TIOCGPGRP"}, {0x5410, "TIOCSPGRP"},
	{0x5411, "TIOCOUTQ"}, {0x5412, "TIOCSTI"}, {0x5413, "TIOCGWINSZ"}, {0x5414, "TIOCSWINSZ"},
	{0x5415, "TIOCMGET"}, {0x5416, "TIOCMBIS"}, {0x5417, "TIOCMBIC"}, {0x5418, "TIOCMSET"},
	{0x5419, "TIOCGSOFTCAR"}, {0x541a, "TIOCSSOFTCAR"}, {0x541b, "FIONREAD"}, {0x541c, "TIOCLINUX"},
	{0x541d, "TIOCCONS"}, {0x541e, "TIOCGSERIAL"}, {0x541f, "TIOCSSERIAL"}, {0x5420, "TIOCPKT"},
	{0x5421, "FIONBIO"}, {0x5422, "TIOCNOTTY"}, {0x5423, "TIOCSETD"}, {0x5424, "TIOCGETD"},
	{0x5425, "TCSBRKP"}, {0x5427, "TIOCSBRK"}, {0x5428, "TIOCCBRK"}, {0x5429, "TIOCGSID"},
	{0x542e, "TIOCGRS485"}, {0x542f, "TIOCSRS485"}, {0x5432, "TCGETX"}, {0x5433, "TCSETX"},
	{0x5434, "TCSETXF"}, {0x5435, "TCSETXW"}, {0x5437, "TIOCVHANGUP"}, {0x5441, "TIOCGPTPEER"},
	{0x5450, "FIONCLEX"}, {0x5451, "FIOCLEX"}, {0x5452, "FIOASYNC"}, {0x5453, "TIOCSERCONFIG"},
	{0x5454, "TIOCSERGWILD"}, {0x5455, "TIOCSERSWILD"}, {0x5456, "TIOCGLCKTRMIOS"},
	{0x5457, "TIOCSLCKTRMIOS"}, {0x5458, "TIOCSERGSTRUCT"}, {0x5459, "TIOCSERGETLSR"},
	{0x545a, "TIOCSERGETMULTI"}, {0x545b, "TIOCSERSETMULTI"}, {0x545c, "TIOCMIWAIT"},
	{0x545d, "TIOCGICOUNT"}, {0x5460, "FIOQSIZE"}, {0x8901, "FIOSETOWN"}, {0x8902, "SIOCSPGRP"},
	{0x8903, "FIOGETOWN"}, {0x8904, "SIOCGPGRP"}, {0x8905, "SIOCATMARK"}, {0x8906, "SIOCGSTAMP_OLD"},
	{0x8907, "SIOCGSTAMPNS_OLD"}, {0x890b, "SIOCADDRT"}, {0x890c, "SIOCDELRT"}, {0x890d, "SIOCRTMSG"},
	{0x8910, "SIOCGIFNAME"}, {0x8911, "SIOCSIFLINK"}, {0x8912, "SIOCGIFCONF"},
	{0x8913, "SIOCGIFFLAGS"}, {0x8914, "SIOCSIFFLAGS"}, {0x8915, "SIOCGIFADDR"},
	{0x8916, "SIOCSIFADDR"}, {0x8917, "SIOCGIFDSTADDR"}, {0x8918, "SIOCSIFDSTADDR"},
	{0x8919, "SIOCGIFBRDADDR"}, {0x891a, "SIOCSIFBRDADDR"}, {0x891b, "SIOCGIFNETMASK"},
	{0x891c, "SIOCSIFNETMASK"}, {0x891d, "SIOCGIFMETRIC"}, {0x891e, "SIOCSIFMETRIC"},
	{0x891f, "SIOCGIFMEM"}, {0x8920, "SIOCSIFMEM"}, {0x8921, "SIOCGIFMTU"}, {0x8922, "SIOCSIFMTU"},
	{0x8923, "SIOCSIFNAME"}, {0x8924, "SIOCSIFHWADDR"}, {0x8925, "SIOCGIFENCAP"},
	{0x8926, "SIOCSIFENCAP"}, {0x8927, "SIOCGIFHWADDR"}, {0x8929, "SIOCGIFSLAVE"},
	{0x8930, "SIOCSIFSLAVE"}, {0x8931, "SIOCADDMULTI"}, {0x8932, "SIOCDELMULTI"},
	{0x8933, "SIOCGIFINDEX"}, {0x8934, "SIOCSIFPFLAGS"}, {0x8935, "SIOCGIFPFLAGS"},
	{0x8936, "SIOCDIFADDR"}, {0x8937, "SIOCSIFHWBROADCAST"}, {0x8938, "SIOCGIFCOUNT"},
	{0x8940, "SIOCGIFBR"}, {0x8941, "SIOCSIFBR"}, {0x8942, "SIOCGIFTXQLEN"},
	{0x8943, "SIOCSIFTXQLEN"}, {0x8946, "SIOCETHTOOL"}, {0x8947, "SIOCGMIIPHY"},
	{0x8948, "SIOCGMIIREG"}, {0x8949, "SIOCSMIIREG"}, {0x894a, "SIOCWANDEV"}, {0x894b, "SIOCOUTQNSD"},
	{0x894c, "SIOCGSKNS"}, {0x8953, "SIOCDARP"}, {0x8954, "SIOCGARP"}, {0x8955, "SIOCSARP"},
	{0x8960, "SIOCDRARP"}, {0x8961, "SIOCGRARP"}, {0x8962, "SIOCSRARP"}, {0x8970, "SIOCGIFMAP"},
	{0x8971, "SIOCSIFMAP"}, {0x8980, "SIOCADDDLCI"}, {0x8981, "SIOCDELDLCI"}, {0x8982, "SIOCGIFVLAN"},
	{0x8983, "SIOCSIFVLAN"}, {0x8990, "SIOCBONDENSLAVE"}, {0x8991, "SIOCBONDRELEASE"},
	{0x8992, "SIOCBONDSETHWADDR"}, {0x8993, "SIOCBONDSLAVEINFOQUERY"}, {0x8994, "SIOCBONDINFOQUERY"},
	{0x8995, "SIOCBONDCHANGEACTIVE"}, {0x89a0, "SIOCBRADDBR"}, {0x89a1, "SIOCBRDELBR"},
	{0x89a2, "SIOCBRADDIF"}, {0x89a3, "SIOCBRDELIF"}, {0x89b0, "SIOCSHWTSTAMP"},
	{0x89b1, "SIOCGHWTSTAMP"}, {0x89e0, "SIOCPROTOPRIVATE"}, {0x89f0, "SIOCDEVPRIVATE"},
	{0x802c542a, "TCGETS2"}, {0x402c542b, "TCSETS2"}, {0x402c542c, "TCSETSW2"},
	{0x402c542d, "TCSETSF2"}, {0x80045430, "TIOCGPTN"}, {0x40045431, "TIOCSPTLCK"},
	{0x80045432, "TIOCGDEV"}, {0x40045436, "TIOCSIG"}, {0x80045438, "TIOCGPKT"},
	{0x80045439, "TIOCGPTLCK"}, {0x80045440, "TIOCGEXCL"}, {0x5441, "TIOCGPTPEER"},
	{0x80108907, "SIOCGSTAMPNS_NEW"}, {0x80108906, "SIOCGSTAMP_NEW"},
}
