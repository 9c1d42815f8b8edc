package tracetest

import (
	"encoding/binary"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// Wire captures the segments of a port on the loopback interface.
type Wire struct {
	fd    int
	port  uint16
	first map[string]uint32 // the number of each direction's SYN
}

// Listen begins to capture the segments from and to port. It needs CAP_NET_RAW.
func Listen(port uint16) (*Wire, error) {
	everything := int(binary.NativeEndian.Uint16([]byte{0, unix.ETH_P_ALL}))
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, everything)
	if err != nil {
		return nil, err
	}
	filter := portFilter(uint32(port))
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &program); err != nil {
		unix.Close(fd)
		return nil, err
	}
	unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 4<<20)
	return &Wire{fd: fd, port: port, first: map[string]uint32{}}, nil
}

// portFilter lets only the segments from and to a port into the buffer, which is read at the end:
// with those of all tests that run at the time, it may become full.
//
// Source: the kernel's Documentation/networking/filter.rst.
func portFilter(port uint32) []unix.SockFilter {
	const (
		loadByte  = unix.BPF_LD | unix.BPF_B | unix.BPF_ABS
		loadHalf  = unix.BPF_LD | unix.BPF_H | unix.BPF_ABS
		loadHalfX = unix.BPF_LD | unix.BPF_H | unix.BPF_IND
		loadSize  = unix.BPF_LDX | unix.BPF_B | unix.BPF_MSH // of an IPv4 header
		and       = unix.BPF_ALU | unix.BPF_AND | unix.BPF_K
		equal     = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		returns   = unix.BPF_RET | unix.BPF_K
		whole     = 1 << 18 // bytes of a packet
	)
	return []unix.SockFilter{
		{Code: loadByte, K: 0},
		{Code: and, K: 0xf0},
		{Code: equal, K: 0x40, Jf: 5}, // IPv4
		{Code: loadSize, K: 0},
		{Code: loadHalfX, K: 0},
		{Code: equal, K: port, Jt: 8},
		{Code: loadHalfX, K: 2},
		{Code: equal, K: port, Jt: 6, Jf: 5},
		{Code: equal, K: 0x60, Jf: 4}, // IPv6
		{Code: loadHalf, K: 40},
		{Code: equal, K: port, Jt: 3},
		{Code: loadHalf, K: 42},
		{Code: equal, K: port, Jt: 1},
		{Code: returns, K: 0},
		{Code: returns, K: whole},
	}
}

// Close ends the capture.
func (w *Wire) Close() { unix.Close(w.fd) }

// Labels are the segments that have passed: "> SYN seq 0" toward the server on
// the port, "< " toward its client. Numbers are counted from each end's SYN.
func (w *Wire) Labels() []string {
	var labels []string
	packet := make([]byte, 65536)
	for {
		n, from, err := unix.Recvfrom(w.fd, packet, 0)
		if err != nil {
			return labels
		}
		if from.(*unix.SockaddrLinklayer).Pkttype == unix.PACKET_OUTGOING {
			continue // it is seen again when it arrives
		}
		if label := w.label(packet[:n]); label != "" {
			labels = append(labels, label)
		}
	}
}

// label is the label of a packet, or "" if it is not the port's.
func (w *Wire) label(p []byte) string {
	var tcp []byte
	var from, to string
	switch {
	case p[0]>>4 == 4 && p[9] == unix.IPPROTO_TCP:
		tcp = p[int(p[0]&15)*4 : binary.BigEndian.Uint16(p[2:])]
		from, to = string(p[12:16]), string(p[16:20])
	case p[0]>>4 == 6 && p[6] == unix.IPPROTO_TCP:
		tcp = p[40:]
		from, to = string(p[8:24]), string(p[24:40])
	default:
		return ""
	}
	source, target := binary.BigEndian.Uint16(tcp), binary.BigEndian.Uint16(tcp[2:])
	if source != w.port && target != w.port {
		return ""
	}
	here, there := fmt.Sprint(from, source, to, target), fmt.Sprint(to, target, from, source)
	seq, ack, flags := binary.BigEndian.Uint32(tcp[4:]), binary.BigEndian.Uint32(tcp[8:]), tcp[13]
	var names []string
	for _, flag := range []struct {
		bit  byte
		name string
	}{{2, "SYN"}, {1, "FIN"}, {4, "RST"}, {8, "PSH"}, {16, "ACK"}} {
		if flags&flag.bit != 0 {
			names = append(names, flag.name)
		}
	}
	if names[0] == "SYN" {
		w.first[here] = seq
	}
	label := fmt.Sprintf("> %s seq %d", strings.Join(names, "+"), seq-w.first[here])
	if source == w.port {
		label = "<" + label[1:]
	}
	if flags&16 != 0 {
		label += fmt.Sprintf(" ack %d", ack-w.first[there])
	}
	if data := len(tcp) - int(tcp[12]>>4)*4; data > 0 {
		label += fmt.Sprintf(" len %d", data)
	}
	return label
}
