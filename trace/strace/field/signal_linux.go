package field

import (
	"math/bits"
	"strings"

	"golang.org/x/sys/unix"
)

// Realtime signals, as the kernel counts them.
const firstRealtime, LastRealtime = 32, 64

// SignalSet appends a set of signals, or if most of them are in it, those that are not.
func (w *Writer) SignalSet(addr, size uint64) {
	const most = 8 // 64 signals
	if size < w.Word() || size > most {
		w.Pointer(addr)
		return
	}
	p, ok := w.Fetch(addr, size)
	if !ok {
		return
	}
	var octets [most]byte
	copy(octets[:], p)
	words := (size + 3) / 4
	set, all := Order.Uint64(octets[:]), ^uint64(0)>>(64-32*words)
	if uint64(bits.OnesCount64(set)) >= words*32*2/3 {
		w.Text("~")
		set ^= all
	}
	separator := "["
	for i := 1; i <= 64; i++ {
		if set>>(i-1)&1 == 0 {
			continue
		}
		w.Text(separator)
		separator = " "
		w.signalName(i)
	}
	if separator == "[" {
		w.Text("[")
	}
	w.Text("]")
}

// signalName appends a signal's name without its first letters.
func (w *Writer) signalName(number int) {
	switch {
	case number == firstRealtime:
		w.Text("RTMIN")
	case number > firstRealtime:
		w.Text("RT_")
		w.Decimal(int64(number - firstRealtime))
	default:
		w.Text(strings.TrimPrefix(unix.SignalName(unix.Signal(number)), "SIG"))
	}
}

// Signal appends a signal.
func (w *Writer) Signal(number uint64) {
	n := int32(number)
	if n <= 0 || n > LastRealtime {
		w.Decimal(int64(n))
		return
	}
	w.Text("SIG")
	w.signalName(int(n))
}
