// Package keys reads single keys of a person from standard input.
//
// It uses neither os.Stdin nor the runtime's timers: for them the runtime would open
// descriptors that take the sockets' numbers.
package keys

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"lbaws/trace/output"
)

// Key is a key's byte, such as 'q' or '\n', or one of the values below.
type Key int

const (
	None    Key = -1 - iota // no key came in time
	End                     // no more will come
	Unknown                 // a key that is no ASCII character, such as an arrow
	Redraw                  // the screen may have changed: the process was continued, or the size is another
)

// Keys is standard input. If that and standard error are terminals, each key comes
// as soon as it is pressed, and is not shown; the keys for signals (Ctrl-C, Ctrl-Z)
// remain. In a script, a letter may stand on a line of its own. Only one thread may call Next.
type Keys struct {
	terminal bool
	letter   bool // whether the line of a script has had a letter
	hide     func()
	redraw   atomic.Bool
	bell     int    // a descriptor that ends Next when it can be read; -1 if there is none
	rang     bool   // whether it could be read
	ahead    []byte // what was read, and Next has not returned

	mu      sync.Mutex    // guards what follows
	saved   *unix.Termios // what Close brings back; nil if nothing is changed
	resting bool          // whether the terminal's settings are to stay as they were
	closed  bool
}

// Open prepares standard input. hide is called before the process stops on Ctrl-Z:
// what only belongs to a running program can be taken off the screen.
func Open(hide func()) *Keys {
	k := &Keys{hide: hide, bell: -1, terminal: output.IsTerminal(unix.Stdin) && output.IsTerminal(unix.Stderr)}
	if k.terminal {
		k.takeTerminal()
		k.follow()
	}
	return k
}

// StopAt makes Next return None as soon as another descriptor can be read.
func (k *Keys) StopAt(fd int) { k.bell = fd }

// Close brings back the terminal's settings. It may be called by any thread, and
// more than once.
func (k *Keys) Close() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.leaveTerminal()
	k.closed = true
}

// step is how long Next waits before it looks at more than the keys.
const step = 100 * time.Millisecond

// Next waits for a key, for as long as timeout at most. What it does not return yet
// stays in the kernel.
func (k *Keys) Next(timeout time.Duration) Key {
	for deadline := time.Now().Add(timeout); ; {
		if k.redraw.Swap(false) {
			return Redraw
		}
		b, ended := k.read(min(time.Until(deadline), step))
		switch {
		case ended:
			return End
		case b >= 0:
			if key := k.decode(b); key != None && !k.endsLetter(key) {
				return key
			}
		}
		if k.rang || !time.Now().Before(deadline) {
			return None
		}
	}
}

// read returns the next byte, or -1 if none came in time or a signal came, or if the bell has
// rung.
func (k *Keys) read(timeout time.Duration) (b int, ended bool) {
	if len(k.ahead) == 0 {
		return k.readNew(timeout)
	}
	b, k.ahead = int(k.ahead[0]), k.ahead[1:]
	return b, false
}

// readNew is read, of what the kernel has.
func (k *Keys) readNew(timeout time.Duration) (b int, ended bool) {
	wanted := int16(unix.POLLIN)
	if k.terminal && !k.takeTerminal() {
		// A job in the background that reads from the terminal is stopped. (Here the
		// thread that reads has blocked the signal, and read would fail.)
		unix.Kill(0, unix.SIGTTIN)
		wanted = 0 // what is typed is not for it
	}
	set := []unix.PollFd{{Fd: int32(unix.Stdin), Events: wanted}}
	if k.bell >= 0 {
		set = append(set, unix.PollFd{Fd: int32(k.bell), Events: unix.POLLIN})
	}
	n, err := unix.Poll(set, int(max(timeout, 0)/time.Millisecond))
	if k.rang = k.bell >= 0 && n > 0 && set[1].Revents != 0; k.rang || n <= 0 {
		return -1, n < 0 && !errors.Is(err, unix.EINTR)
	}
	var buffer [1]byte
	n, err = unix.Read(unix.Stdin, buffer[:])
	switch {
	case n == 1:
		return int(buffer[0]), false
	case errors.Is(err, unix.EINTR), errors.Is(err, unix.EAGAIN):
		return -1, false
	case errors.Is(err, unix.EIO) && k.terminal && !foreground():
		return -1, false // the job was put into the background a moment ago
	}
	return -1, true // end of file, no standard input, a terminal that has gone
}

// escapeTime is how soon the rest of an escape sequence follows.
const escapeTime = 50 * time.Millisecond

// decode returns the key of which b is the first byte. It is None for a byte in the
// middle of a UTF-8 character, whose first byte was a key already.
//
// Source: ECMA-48 section 5.4, RFC 3629.
func (k *Keys) decode(b int) Key {
	switch {
	case b == '\x1b':
		return k.escape()
	case b >= 0xc0:
		return Unknown
	case b >= 0x80:
		return None
	}
	return Key(b)
}

// escape reads the rest of an escape sequence. The key Esc has none.
func (k *Keys) escape() Key {
	defer k.StopAt(k.bell)
	k.StopAt(-1)
	b, _ := k.read(escapeTime)
	switch {
	case b < 0:
		return '\x1b'
	case b == 'O': // the arrows of a keypad, and function keys
		k.read(escapeTime)
	case b == '[':
		for b, _ = k.read(escapeTime); b >= ' ' && b < '@'; { // parameters
			b, _ = k.read(escapeTime)
		}
	}
	return Unknown
}

// endsLetter reports whether a key only ends the line in which a script has a letter.
func (k *Keys) endsLetter(key Key) bool {
	ends := key == '\n' && k.letter && !k.terminal
	k.letter = key > ' '
	return ends
}

// Interactive reports whether a person presses the keys, and no script has them.
func (k *Keys) Interactive() bool { return k.terminal }
