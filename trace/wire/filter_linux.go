package wire

import "golang.org/x/sys/unix"

// portFilter is a program for the kernel that lets TCP segments from or to port
// pass. The packet begins with the IP header. Of IPv6 packets with extension
// headers all pass: what is behind those headers, ParseSegment finds out. On the
// loopback interface each segment is seen twice, when it is sent and when it
// arrives; only the second passes.
//
// Source: bpf(4) of FreeBSD; Documentation/networking/filter.rst of Linux.
func portFilter(port uint16) []unix.SockFilter {
	const (
		loadByte   = unix.BPF_LD | unix.BPF_B | unix.BPF_ABS
		loadHalf   = unix.BPF_LD | unix.BPF_H | unix.BPF_ABS
		loadHalfX  = unix.BPF_LD | unix.BPF_H | unix.BPF_IND
		loadWord   = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
		loadHeader = unix.BPF_LDX | unix.BPF_B | unix.BPF_MSH
		and        = unix.BPF_ALU | unix.BPF_AND | unix.BPF_K
		equal      = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		give       = unix.BPF_RET | unix.BPF_K
		// What Linux knows of a packet stands at negative offsets.
		packetKind    = 0xfffff000 + 4
		interfaceKind = 0xfffff000 + 28
	)
	p := uint32(port)
	return []unix.SockFilter{
		/* 0 */ {Code: loadWord, K: interfaceKind},
		/* 1 */ {Code: equal, K: unix.ARPHRD_LOOPBACK, Jt: 0, Jf: 2}, // or go to 4
		/* 2 */ {Code: loadWord, K: packetKind},
		/* 3 */ {Code: equal, K: unix.PACKET_OUTGOING, Jt: 23, Jf: 0}, // go to 27
		/* 4 */ {Code: loadByte, K: 0},
		/* 5 */ {Code: and, K: 0xf0},
		/* 6 */ {Code: equal, K: 0x40, Jt: 0, Jf: 7}, // IPv4, or go to 14
		/* 7 */ {Code: loadByte, K: 9},
		/* 8 */ {Code: equal, K: protocolTCP, Jt: 0, Jf: 18}, // or go to 27
		/* 9 */ {Code: loadHeader, K: 0}, // X = the header's length
		/* 10 */ {Code: loadHalfX, K: 0},
		/* 11 */ {Code: equal, K: p, Jt: 14, Jf: 0}, // go to 26
		/* 12 */ {Code: loadHalfX, K: 2},
		/* 13 */ {Code: equal, K: p, Jt: 12, Jf: 13}, // go to 26, or 27
		/* 14 */ {Code: equal, K: 0x60, Jt: 0, Jf: 12}, // IPv6, or go to 27
		/* 15 */ {Code: loadByte, K: 6},
		/* 16 */ {Code: equal, K: protocolTCP, Jt: 5, Jf: 0}, // go to 22
		/* 17 */ {Code: equal, K: unix.IPPROTO_HOPOPTS, Jt: 8, Jf: 0}, // go to 26
		/* 18 */ {Code: equal, K: unix.IPPROTO_ROUTING, Jt: 7, Jf: 0},
		/* 19 */ {Code: equal, K: unix.IPPROTO_FRAGMENT, Jt: 6, Jf: 0},
		/* 20 */ {Code: equal, K: unix.IPPROTO_AH, Jt: 5, Jf: 0},
		/* 21 */ {Code: equal, K: unix.IPPROTO_DSTOPTS, Jt: 4, Jf: 5}, // go to 26, or 27
		/* 22 */ {Code: loadHalf, K: 40},
		/* 23 */ {Code: equal, K: p, Jt: 2, Jf: 0}, // go to 26
		/* 24 */ {Code: loadHalf, K: 42},
		/* 25 */ {Code: equal, K: p, Jt: 0, Jf: 1}, // or go to 27
		/* 26 */ {Code: give, K: 1 << 16}, // all of it
		/* 27 */ {Code: give, K: 0},
	}
}
