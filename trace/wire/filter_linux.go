package wire

import "golang.org/x/sys/unix"

const (
	headers = 176     // bytes that hold the headers of most packets
	whole   = 1 << 16 // bytes that hold any packet
)

// portFilter is a program for the kernel that lets TCP segments from or to port
// pass. The packet begins with the IP header. Of IPv6 packets with extension
// headers all pass: what is behind those headers, ParseSegment finds out. On the
// loopback interface each segment is seen twice, when it is sent and when it
// arrives; only the first passes. Of a packet that is sent, the headers are
// enough; of one that arrives, all of it is wanted, for its checksum.
//
// Source: bpf(4) of FreeBSD; Documentation/networking/filter.rst of Linux.
func portFilter(port uint16) []unix.SockFilter {
	const (
		loadByte   = unix.BPF_LD | unix.BPF_B | unix.BPF_ABS
		loadHalf   = unix.BPF_LD | unix.BPF_H | unix.BPF_ABS
		loadHalfX  = unix.BPF_LD | unix.BPF_H | unix.BPF_IND
		loadWord   = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
		loadHeader = unix.BPF_LDX | unix.BPF_B | unix.BPF_MSH
		loadNumber = unix.BPF_LD | unix.BPF_IMM
		loadMemory = unix.BPF_LD | unix.BPF_MEM
		store      = unix.BPF_ST
		and        = unix.BPF_ALU | unix.BPF_AND | unix.BPF_K
		equal      = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		skip       = unix.BPF_JMP | unix.BPF_JA
		give       = unix.BPF_RET | unix.BPF_K
		giveLoaded = unix.BPF_RET | unix.BPF_A
		// What Linux knows of a packet stands at negative offsets.
		packetKind    = 0xfffff000 + 4
		interfaceKind = 0xfffff000 + 28
	)
	p := uint32(port)
	return []unix.SockFilter{
		/* 0 */ {Code: loadWord, K: packetKind},
		/* 1 */ {Code: equal, K: unix.PACKET_OUTGOING, Jt: 4, Jf: 0}, // go to 6
		/* 2 */ {Code: loadWord, K: interfaceKind},
		/* 3 */ {Code: equal, K: unix.ARPHRD_LOOPBACK, Jt: 28, Jf: 0}, // go to 32
		/* 4 */ {Code: loadNumber, K: whole},
		/* 5 */ {Code: skip, K: 1}, // go to 7
		/* 6 */ {Code: loadNumber, K: headers},
		/* 7 */ {Code: store, K: 0}, // how much to give
		/* 8 */ {Code: loadByte, K: 0},
		/* 9 */ {Code: and, K: 0xf0},
		/* 10 */ {Code: equal, K: 0x40, Jt: 0, Jf: 7}, // IPv4, or go to 18
		/* 11 */ {Code: loadByte, K: 9},
		/* 12 */ {Code: equal, K: protocolTCP, Jt: 0, Jf: 19}, // or go to 32
		/* 13 */ {Code: loadHeader, K: 0}, // X = the header's length
		/* 14 */ {Code: loadHalfX, K: 0},
		/* 15 */ {Code: equal, K: p, Jt: 14, Jf: 0}, // go to 30
		/* 16 */ {Code: loadHalfX, K: 2},
		/* 17 */ {Code: equal, K: p, Jt: 12, Jf: 14}, // go to 30, or 32
		/* 18 */ {Code: equal, K: 0x60, Jt: 0, Jf: 13}, // IPv6, or go to 32
		/* 19 */ {Code: loadByte, K: 6},
		/* 20 */ {Code: equal, K: protocolTCP, Jt: 5, Jf: 0}, // go to 26
		/* 21 */ {Code: equal, K: unix.IPPROTO_HOPOPTS, Jt: 8, Jf: 0}, // go to 30
		/* 22 */ {Code: equal, K: unix.IPPROTO_ROUTING, Jt: 7, Jf: 0},
		/* 23 */ {Code: equal, K: unix.IPPROTO_FRAGMENT, Jt: 6, Jf: 0},
		/* 24 */ {Code: equal, K: unix.IPPROTO_AH, Jt: 5, Jf: 0},
		/* 25 */ {Code: equal, K: unix.IPPROTO_DSTOPTS, Jt: 4, Jf: 6}, // go to 30, or 32
		/* 26 */ {Code: loadHalf, K: 40},
		/* 27 */ {Code: equal, K: p, Jt: 2, Jf: 0}, // go to 30
		/* 28 */ {Code: loadHalf, K: 42},
		/* 29 */ {Code: equal, K: p, Jt: 0, Jf: 2}, // or go to 32
		/* 30 */ {Code: loadMemory, K: 0},
		/* 31 */ {Code: giveLoaded},
		/* 32 */ {Code: give, K: 0},
	}
}
