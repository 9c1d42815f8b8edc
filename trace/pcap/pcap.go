// Package pcap writes segments, and the calls between them, into a file for Wireshark.
package pcap

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"time"

	"lbaws/trace/event"
	"lbaws/trace/order"
	"lbaws/trace/strace"
	"lbaws/trace/wire"
)

// Writer writes a file for Wireshark: the captured segments as they were and, between
// them, the calls, each as an entry of a journal, which Wireshark shows in a row of its
// own. A call that may wait has an entry when it begins, and one when it returns. Each
// Append ends with a complete block, so the file can be read while the program runs.
//
// Source: the pcapng file format, draft-ietf-opsawg-pcapng; systemd's Journal Export Format.
type Writer struct {
	order   order.Order
	strace  strace.Writer
	begun   bool
	why     string // why there are no segments, until an entry says it
	message []byte // room for a text
}

// New returns a Writer that shows at most limit bytes of a buffer in an entry.
func New(limit int) *Writer { return &Writer{strace: strace.Writer{Limit: limit}} }

// Append appends a packet, or an entry for anything else.
func (p *Writer) Append(b []byte, m *event.Moment) []byte {
	if m.What == event.Captured || m.What == event.Changed {
		if m.Err != nil {
			p.why = "no segments: " + m.Err.Error()
		}
		return b
	}
	b = p.begin(b)
	moments := p.order.Take(m)
	for i := range moments {
		b = p.take(b, &moments[i])
	}
	return b
}

// take appends a moment whose turn has come.
func (p *Writer) take(b []byte, m *event.Moment) []byte {
	if p.why != "" {
		b, p.why = p.entry(b, time.Now(), event.Caller{}, warning, p.why), ""
	}
	switch m.What {
	case event.Passed:
		return p.packet(b, m.Segment)
	case event.Began:
		if order.DrawnInTwo(m.Event.Call) {
			return p.call(b, m)
		}
	case event.Waits, event.Returned:
		return p.call(b, m)
	case event.Exited:
		return p.entry(b, m.At, m.Exit.Caller, warning, m.Exit.Text())
	case event.Noted:
		return p.entry(b, m.At, event.Caller{}, info, m.Text)
	case event.Lost:
		return p.entry(b, m.At, event.Caller{}, warning, fmt.Sprintf("%d segments came faster than they were read", m.Lost))
	}
	return b
}

// call appends an entry for a call that begins or has returned.
func (p *Writer) call(b []byte, m *event.Moment) []byte {
	e, at, priority := m.Event, m.At, info
	switch {
	case m.What != event.Returned:
		p.message = append(p.strace.AppendBegin(p.message[:0], e), " <unfinished ...>"...)
	case m.InTwo:
		p.message = append(append(append(p.message[:0], "<... "...), e.Name()...), " resumed>"...)
		p.message = p.strace.AppendRest(p.message, e, len(p.message))
	default:
		at = e.Begin // the segments that it caused come after it
		p.message = p.strace.AppendBegin(p.message[:0], e)
		p.message = p.strace.AppendRest(p.message, e, len(p.message))
	}
	if m.What == event.Returned && e.Failed() {
		priority = warning
	}
	return p.entry(b, at, e.Caller, priority, string(p.message))
}

// Priorities of a journal's entries, as syslog(3) has them.
const (
	warning = 4
	info    = 6
)

// The numbers of the blocks' types, and of a link that has IP packets and nothing
// before them.
const (
	sectionHeader  = 0x0a0d0d0a
	interfaceBlock = 1
	packetBlock    = 6
	journalBlock   = 9
	linkTypeRaw    = 101
)

// begin appends the blocks with which a file begins: what it is, and an interface
// whose packets have times in nanoseconds.
func (p *Writer) begin(b []byte) []byte {
	if p.begun {
		return b
	}
	p.begun = true
	const (
		byteOrder, version, unknown = 0x1a2b3c4d, 1, ^uint32(0) // version 1.0, and a length in two words
		resolution, nanoseconds     = 9, 9                      // the option's number, and its value: 10 to the power of -9
		endOfOptions                = 0
	)
	b = appendBlock(b, sectionHeader, nil, byteOrder, version, unknown, unknown)
	return appendBlock(b, interfaceBlock, nil, linkTypeRaw, wire.PacketRoom, 1<<16|resolution, nanoseconds, endOfOptions)
}

// packet appends a packet, as much of it as was kept.
func (p *Writer) packet(b []byte, s *wire.Segment) []byte {
	const interfaceNumber = 0
	at := uint64(s.Time.UnixNano())
	return appendBlock(b, packetBlock, s.Packet, interfaceNumber, uint32(at>>32), uint32(at), uint32(len(s.Packet)), uint32(s.Size))
}

// entry appends a journal entry. Its message is printable text.
func (p *Writer) entry(b []byte, at time.Time, caller event.Caller, priority int, message string) []byte {
	host, program := caller.Side.String(), "lbaws"
	if caller.Program > 0 {
		host += strconv.Itoa(caller.Program + 1)
	}
	if caller.Thread != 0 {
		program += "-" + strconv.Itoa(caller.Thread)
	}
	return appendBlock(p.begin(b), journalBlock, fmt.Appendf(nil, "__REALTIME_TIMESTAMP=%d\n_HOSTNAME=%s\nSYSLOG_IDENTIFIER=%s\nPRIORITY=%d\nMESSAGE=%s\n",
		at.UnixMicro(), host, program, priority, message))
}

// appendBlock appends a block of words and bytes, which are padded to words. Its length
// stands at both ends.
func appendBlock(b []byte, kind uint32, data []byte, words ...uint32) []byte {
	padding := -len(data) & 3
	length := uint32(4*(3+len(words)) + len(data) + padding)
	b = binary.LittleEndian.AppendUint32(b, kind)
	b = binary.LittleEndian.AppendUint32(b, length)
	for _, word := range words {
		b = binary.LittleEndian.AppendUint32(b, word)
	}
	b = append(append(b, data...), make([]byte, padding)...)
	return binary.LittleEndian.AppendUint32(b, length)
}
