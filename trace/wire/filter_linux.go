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
// arrives; only the second passes, and of it most bytes are given: the headers, mostly.
// So they are of a packet that is sent on another interface; of one that arrives there,
// all of it is wanted, for its checksum.
//
// Source: bpf(4) of FreeBSD; Documentation/networking/filter.rst of Linux.
func portFilter(port uint16, most uint32) []unix.SockFilter {
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
		/* 0 */ {Code: loadWord, K: interfaceKind},
		/* 1 */ {Code: equal, K: unix.ARPHRD_LOOPBACK, Jt: 0, Jf: 2}, // or go to 4
		/* 2 */ {Code: loadWord, K: packetKind},
		/* 3 */ {Code: equal, K: unix.PACKET_OUTGOING, Jt: 30, Jf: 4}, // go to 34, or 8
		/* 4 */ {Code: loadWord, K: packetKind},
		/* 5 */ {Code: equal, K: unix.PACKET_OUTGOING, Jt: 2, Jf: 0}, // go to 8
		/* 6 */ {Code: loadNumber, K: whole},
		/* 7 */ {Code: skip, K: 1}, // go to 9
		/* 8 */ {Code: loadNumber, K: most},
		/* 9 */ {Code: store, K: 0}, // how much to give
		/* 10 */ {Code: loadByte, K: 0},
		/* 11 */ {Code: and, K: 0xf0},
		/* 12 */ {Code: equal, K: 0x40, Jt: 0, Jf: 7}, // IPv4, or go to 20
		/* 13 */ {Code: loadByte, K: 9},
		/* 14 */ {Code: equal, K: protocolTCP, Jt: 0, Jf: 19}, // or go to 34
		/* 15 */ {Code: loadHeader, K: 0}, // X = the header's length
		/* 16 */ {Code: loadHalfX, K: 0},
		/* 17 */ {Code: equal, K: p, Jt: 14, Jf: 0}, // go to 32
		/* 18 */ {Code: loadHalfX, K: 2},
		/* 19 */ {Code: equal, K: p, Jt: 12, Jf: 14}, // go to 32, or 34
		/* 20 */ {Code: equal, K: 0x60, Jt: 0, Jf: 13}, // IPv6, or go to 34
		/* 21 */ {Code: loadByte, K: 6},
		/* 22 */ {Code: equal, K: protocolTCP, Jt: 5, Jf: 0}, // go to 28
		/* 23 */ {Code: equal, K: unix.IPPROTO_HOPOPTS, Jt: 8, Jf: 0}, // go to 32
		/* 24 */ {Code: equal, K: unix.IPPROTO_ROUTING, Jt: 7, Jf: 0},
		/* 25 */ {Code: equal, K: unix.IPPROTO_FRAGMENT, Jt: 6, Jf: 0},
		/* 26 */ {Code: equal, K: unix.IPPROTO_AH, Jt: 5, Jf: 0},
		/* 27 */ {Code: equal, K: unix.IPPROTO_DSTOPTS, Jt: 4, Jf: 6}, // go to 32, or 34
		/* 28 */ {Code: loadHalf, K: 40},
		/* 29 */ {Code: equal, K: p, Jt: 2, Jf: 0}, // go to 32
		/* 30 */ {Code: loadHalf, K: 42},
		/* 31 */ {Code: equal, K: p, Jt: 0, Jf: 2}, // or go to 34
		/* 32 */ {Code: loadMemory, K: 0},
		/* 33 */ {Code: giveLoaded},
		/* 34 */ {Code: give, K: 0},
	}
}
