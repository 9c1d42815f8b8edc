package live

import (
	"strings"

	"golang.org/x/sys/unix"

	"lbaws/trace/event"
	"lbaws/trace/others"
	"lbaws/trace/predict"
	"lbaws/trace/sockets"
)

// This file asks the kernel, before a call is predicted, for what a prediction takes for
// granted: the options and flags that a program, or its parent, may have set.

// predict says what a call will do that is held; nothing if that is not sure.
func (d *person) predict(c *call) predict.Forecast {
	if d.watch == nil {
		return predict.Forecast{}
	}
	switch does := c.preview.Call.Does; {
	case c.about.NoSocket: // its row says why it fails
		return predict.Forecast{}
	case c.socket == nil: // it makes one
	case c.passed():
		return predict.Forecast{}
	default:
		sure := false
		sockets.Borrow(c.thread.ID, int(int32(c.Args[0])), func(fd int) { sure = d.isSure(c, fd) })
		if !sure {
			return predict.Forecast{}
		}
		if does == event.Closes {
			c.preview.Shared = d.count(c.socket) > 1
		}
	}
	return d.memory.Forecast(&c.preview)
}

// passed reports whether a close may leave a descriptor that is under way to another process,
// or that one has which is not followed.
func (c *call) passed() bool { return c.does.Effect == event.Closes && c.socket.passed }

// isSure reports whether nothing is set that predictions do not know. fd leads to the call's
// socket.
//
// Source: socket(7), tcp(7), recv(2), send(2).
func (d *person) isSure(c *call, fd int) bool {
	option := func(level, name int) int {
		value, _ := unix.GetsockoptInt(fd, level, name)
		return value
	}
	timesOut := func(name int) bool {
		limit, err := unix.GetsockoptTimeval(fd, unix.SOL_SOCKET, name)
		return err != nil || limit.Nano() != 0
	}
	if option(unix.SOL_SOCKET, unix.SO_PROTOCOL) != unix.IPPROTO_TCP {
		return false
	}
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	atOnce := flags&unix.O_NONBLOCK != 0 || c.hasFlag(unix.MSG_DONTWAIT)
	c.preview.Recorded.AtOnce = atOnce
	does := c.preview.Call.Does
	if strings.HasSuffix(c.Name, "mmsg") {
		return false
	}
	if c.preview.Recorded.Peeks {
		does = event.Reads
	}
	switch does {
	case event.Accepts:
		return err == nil && (atOnce || !timesOut(unix.SO_RCVTIMEO))
	case event.Connects:
		return (atOnce || !timesOut(unix.SO_SNDTIMEO)) && option(unix.IPPROTO_TCP, unix.TCP_FASTOPEN_CONNECT) == 0
	case event.Reads:
		if c.hasFlag(unix.MSG_OOB) || c.hasFlag(unix.MSG_ERRQUEUE) || option(unix.SOL_SOCKET, unix.SO_RCVLOWAT) > 1 || sockets.HasShutReading(fd) {
			return false
		}
		return atOnce || !timesOut(unix.SO_RCVTIMEO)
	case event.Writes:
		const least = 16 << 10 // what the kernel gives a new socket
		for _, flag := range []uint64{unix.MSG_OOB, unix.MSG_MORE, unix.MSG_FASTOPEN, unix.MSG_ZEROCOPY} {
			if c.hasFlag(flag) {
				return false
			}
		}
		return option(unix.IPPROTO_TCP, unix.TCP_CORK) == 0 && option(unix.SOL_SOCKET, unix.SO_SNDBUF) >= least && (atOnce || !timesOut(unix.SO_SNDTIMEO))
	case event.Closes:
		linger, err := unix.GetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER)
		return err == nil && linger.Onoff == 0 && !d.isInUse(c)
	}
	return true
}

// isInUse reports whether a thread waits in the kernel in a call that may be about the socket
// that another one is about to close: the kernel keeps the socket until that has returned.
//
// Source: fget and fput in Linux's fs/file.c.
func (d *person) isInUse(c *call) bool {
	for _, other := range d.begun {
		if other.socket == c.socket || other.of == c.of && other.does.Effect == others.Polls {
			return true
		}
	}
	return false
}
