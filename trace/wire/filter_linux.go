package wire

import "golang.org/x/sys/unix"

// portFilter is a program for the kernel that lets TCP segments from or to some ports
// pass. The packet begins with the IP header. Of IPv6 packets with extension
// headers all pass: what is behind those headers, ParseSegment finds out. On the
// loopback interface each segment is seen twice, when it is sent and when it
// arrives; only the second passes, and none if loopback is false.
//
// Source: bpf(4) of FreeBSD; Documentation/networking/filter.rst of Linux.
func portFilter(ports []uint16, loopback bool) []unix.SockFilter {
	const (
		loadByte   = unix.BPF_LD | unix.BPF_B | unix.BPF_ABS
		loadHalfX  = unix.BPF_LD | unix.BPF_H | unix.BPF_IND
		loadWord   = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
		loadHeader = unix.BPF_LDX | unix.BPF_B | unix.BPF_MSH
		loadX      = unix.BPF_LDX | unix.BPF_IMM
		and        = unix.BPF_ALU | unix.BPF_AND | unix.BPF_K
		equal      = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		jump       = unix.BPF_JMP | unix.BPF_JA
		give       = unix.BPF_RET | unix.BPF_K
		// What Linux knows of a packet stands at negative offsets.
		packetKind    = 0xfffff000 + 4
		interfaceKind = 0xfffff000 + 28
	)
	const ofPorts = 20 // where the ports are compared
	n := len(ports)
	refuse := ofPorts + 2*(n+1)
	accept := refuse + 1
	to := func(place, from int) uint8 { return uint8(place - from - 1) }
	filter := []unix.SockFilter{
		/* 0 */ {Code: loadWord, K: interfaceKind},
		/* 1 */ {Code: equal, K: unix.ARPHRD_LOOPBACK, Jt: 0, Jf: to(4, 1)},
		/* 2 */ {Code: loadWord, K: packetKind},
		/* 3 */ {Code: equal, K: unix.PACKET_OUTGOING, Jt: to(refuse, 3), Jf: 0},
		/* 4 */ {Code: loadByte, K: 0},
		/* 5 */ {Code: and, K: 0xf0},
		/* 6 */ {Code: equal, K: 0x40, Jt: 0, Jf: to(11, 6)}, // IPv4
		/* 7 */ {Code: loadByte, K: 9},
		/* 8 */ {Code: equal, K: protocolTCP, Jt: 0, Jf: to(refuse, 8)},
		/* 9 */ {Code: loadHeader, K: 0}, // X = the header's length
		/* 10 */ {Code: jump, K: uint32(to(ofPorts, 10))},
		/* 11 */ {Code: equal, K: 0x60, Jt: 0, Jf: to(refuse, 11)}, // IPv6
		/* 12 */ {Code: loadByte, K: 6},
		/* 13 */ {Code: equal, K: protocolTCP, Jt: to(19, 13), Jf: 0},
		/* 14 */ {Code: equal, K: unix.IPPROTO_HOPOPTS, Jt: to(accept, 14), Jf: 0},
		/* 15 */ {Code: equal, K: unix.IPPROTO_ROUTING, Jt: to(accept, 15), Jf: 0},
		/* 16 */ {Code: equal, K: unix.IPPROTO_FRAGMENT, Jt: to(accept, 16), Jf: 0},
		/* 17 */ {Code: equal, K: unix.IPPROTO_AH, Jt: to(accept, 17), Jf: 0},
		/* 18 */ {Code: equal, K: unix.IPPROTO_DSTOPTS, Jt: to(accept, 18), Jf: to(refuse, 18)},
		/* 19 */ {Code: loadX, K: 40},
	}
	if !loopback {
		filter[3] = unix.SockFilter{Code: jump, K: uint32(to(refuse, 3))}
	}
	for _, offset := range []uint32{0, 2} { // the sender's port, and the receiver's
		filter = append(filter, unix.SockFilter{Code: loadHalfX, K: offset})
		for _, port := range ports {
			filter = append(filter, unix.SockFilter{Code: equal, K: uint32(port), Jt: to(accept, len(filter))})
		}
	}
	return append(filter,
		unix.SockFilter{Code: give, K: 0},
		unix.SockFilter{Code: give, K: 1 << 16}) // all of it
}
