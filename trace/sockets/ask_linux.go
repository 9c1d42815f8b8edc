package sockets

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/sys/process"
	"lbaws/trace/wire"
)

// asker asks the kernel for the sockets of some ports, over a netlink socket. It is
// the trace's, not the server's: its calls are not traced.
type asker struct {
	fd       int
	sequence uint32    // the number of the last question
	given    time.Time // when the kernel made the part of the answer that is read next
	answer   []byte    // room for a part of an answer
	more     uint8     // a set of what one asks for besides, as bits
	sockets  []Socket
}

// newAsker opens a netlink socket, with a descriptor of 10 or above.
func newAsker() (*asker, error) {
	low, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.NETLINK_INET_DIAG)
	if err != nil {
		return nil, sys.Fail("socket", "AF_NETLINK", err)
	}
	a := &asker{fd: process.MoveUp(low), answer: make([]byte, 32<<10)}
	nowhere := netip.AddrPortFrom(netip.IPv4Unspecified(), 1)
	if _, err = a.one(nowhere, nowhere, 0); err != nil {
		unix.Close(a.fd)
	}
	return a, err
}

func (a *asker) close() { unix.Close(a.fd) }

// all returns the sockets of some ports, local or remote, in some states: of both families, as
// either end of a connection may be an IPv6 socket with IPv4-mapped addresses. They are good
// until the next question. The kernel goes through its table of connections for that, which
// is as large as the machine's memory makes it, and looks at all that are in it, whatever
// their states.
func (a *asker) all(ports []uint16, states uint32) ([]Socket, error) {
	a.sockets = a.sockets[:0]
	if len(ports) == 0 {
		return nil, nil
	}
	err := a.askAll(ports, states)
	for more := err == nil; more; {
		if more, err = a.receive(); err != nil {
			err = sys.Fail("read", "NETLINK_SOCK_DIAG", err)
		}
	}
	return a.sockets, err
}

// one returns the socket with these addresses, or nil if there is none. It is good
// until the next question. The kernel finds it at once. If it took long, this thread did
// not run meanwhile, and nobody knows when the answer was made: then it asks again.
func (a *asker) one(local, remote netip.AddrPort, link uint32) (*Socket, error) {
	const long, tries = 200 * time.Microsecond, 3
	var err error
	for range tries {
		a.sockets = a.sockets[:0]
		began := time.Now()
		if err = a.askOne(local, remote, link); err != nil {
			return nil, err
		}
		took := a.given.Sub(began)
		if _, err = a.receive(); took < long {
			break
		}
	}
	switch {
	case err == unix.ENOENT:
		return nil, nil
	case err != nil:
		return nil, sys.Fail("read", "NETLINK_SOCK_DIAG", err)
	case len(a.sockets) > 0 && a.sockets[0].Local == local && a.sockets[0].Remote == remote: // and not what listens there
		return &a.sockets[0], nil
	}
	return nil, nil
}

// unsent returns how many of the bytes of a socket that the peer has not acknowledged were not even
// sent: 0 if it holds something else by now.
func (a *asker) unsent(of *Socket) (int, error) {
	a.more = 1 << (tcpInfo - 1)
	s, err := a.one(of.Local, of.Remote, of.Link)
	a.more = 0
	if s == nil || s.Cookie != of.Cookie || s.Send != of.Send || s.Unsent == 0 {
		return 0, err
	}
	if s.Pending() == "FIN" { // it waits behind them, and counts as one
		s.Unsent--
	}
	return s.Unsent, nil
}

// behind returns the connected socket to which a descriptor leads, or nil. The kernel finds
// it at once.
func (a *asker) behind(fd int) (*Socket, error) {
	remote, link := peerOf(fd)
	if !remote.IsValid() {
		return nil, nil
	}
	return a.one(wire.Plain(LocalAddress(fd)), remote, link)
}

// PeerAddress asks the kernel for the address of the peer of the socket to which fd leads,
// without a trace: the zero AddrPort if it has none.
func PeerAddress(fd int) netip.AddrPort {
	peer, _ := peerOf(fd)
	return peer
}

// peerOf is PeerAddress, and the number of the interface of a link-local one.
func peerOf(fd int) (remote netip.AddrPort, link uint32) {
	peer, _ := unix.Getpeername(fd)
	switch peer := peer.(type) {
	case *unix.SockaddrInet4:
		remote = netip.AddrPortFrom(netip.AddrFrom4(peer.Addr), uint16(peer.Port))
	case *unix.SockaddrInet6:
		remote, link = netip.AddrPortFrom(netip.AddrFrom16(peer.Addr), uint16(peer.Port)), peer.ZoneId
	}
	return wire.Plain(remote), link
}

// receive adds the sockets of a part of the answer, and reports whether more may come. The
// kernel makes the first part when it is asked, and each of the others when the one before
// is read.
//
// Source: netlink(7).
func (a *asker) receive() (more bool, err error) {
	n, err := unix.Read(a.fd, a.answer)
	if err != nil {
		return false, err
	}
	given := a.given
	a.given = time.Now()
	messages, err := syscall.ParseNetlinkMessage(a.answer[:n])
	if err != nil {
		return false, err
	}
	for _, m := range messages {
		switch kind := m.Header.Type; {
		case m.Header.Seq != a.sequence: // it is left of an earlier answer
		case kind == unix.NLMSG_DONE:
			return false, nil
		case kind == unix.NLMSG_ERROR && len(m.Data) >= 4:
			return false, unix.Errno(-int32(binary.NativeEndian.Uint32(m.Data)))
		case (kind == unix.SOCK_DIAG_BY_FAMILY || kind == allFamilies) && len(m.Data) >= int(unsafe.Sizeof(diagMessage{})):
			s := (*diagMessage)(unsafe.Pointer(&m.Data[0])).socket(given)
			s.attributes(m.Data[unsafe.Sizeof(diagMessage{}):])
			a.sockets = append(a.sockets, s)
		case kind == unix.NLMSG_ERROR || kind == unix.SOCK_DIAG_BY_FAMILY || kind == allFamilies:
			return false, unix.EBADMSG
		}
	}
	return true, nil
}

// AwaitReceived waits until TCP has received each packet that a packet socket has got by
// now: the kernel shows it to that one first, and then to TCP, in one critical section of
// RCU, for whose end membarrier waits. Where there is no such call, it does nothing.
//
// Source: membarrier(2); kernel/sched/membarrier.c and net/core/dev.c of Linux.
func AwaitReceived() {
	const global = 1 // MEMBARRIER_CMD_GLOBAL
	unix.Syscall(unix.SYS_MEMBARRIER, global, 0, 0)
}

// diagID is struct inet_diag_sockid: whose socket it is. Ports and addresses are
// in network byte order.
type diagID struct {
	localPort, remotePort [2]byte
	local, remote         [16]byte
	link                  uint32
	cookie                [2]uint32
}

// diagMessage is struct inet_diag_msg: one socket.
type diagMessage struct {
	family, state, timer, retransmits uint8
	id                                diagID
	expires                           uint32 // in milliseconds
	receive, send                     uint32
	user, inode                       uint32
}

// Sets of states, as bits of the kernel's numbers for them.
const (
	statesListen uint32 = 1 << 10
	statesClosed uint32 = 1<<7 | 1<<13
	statesOver   uint32 = 1<<6 | statesClosed
)

// states are the kernel's numbers for the states. 12 is SYN_RCVD too, and 13 a
// socket that has a port, and neither listens nor is connected.
var states = [...]wire.State{1: wire.Established, 2: wire.SynSent, 3: wire.SynReceived, 4: wire.FinWait1, 5: wire.FinWait2,
	6: wire.TimeWait, 7: wire.Closed, 8: wire.CloseWait, 9: wire.LastAck, 10: wire.Listen, 11: wire.Closing,
	12: wire.SynReceived, 13: wire.Closed}

// StateOf asks the kernel for the state of the socket to which a descriptor of this process
// leads; wire.Unknown if it leads to none.
//
// Source: tcp(7), TCP_INFO.
func StateOf(fd int) wire.State {
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil || int(info.State) >= len(states) {
		return wire.Unknown
	}
	return states[info.State]
}

// HasShutReading reports whether a read on a socket returns 0 in place of waiting although the
// peer's FIN has not come: shutdown was called.
//
// Source: tcp_poll in Linux's net/ipv4.
func HasShutReading(fd int) bool {
	set := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}
	unix.Poll(set, 0)
	return set[0].Revents&unix.POLLRDHUP != 0 && slices.Contains([]wire.State{wire.Established, wire.FinWait1, wire.FinWait2}, StateOf(fd))
}

func (m *diagMessage) socket(at time.Time) Socket {
	s := Socket{
		at:      at,
		Cookie:  uint64(m.id.cookie[1])<<32 | uint64(m.id.cookie[0]),
		Local:   m.address(m.id.local, m.id.localPort),
		Remote:  m.address(m.id.remote, m.id.remotePort),
		Receive: int(m.receive), Send: int(m.send),
		Timer: Timer(m.timer), Left: time.Duration(m.expires) * time.Millisecond, Again: int(m.retransmits),
		Inode: m.inode, Descriptor: -1, Link: m.id.link,
	}
	if int(m.state) < len(states) {
		s.State = states[m.state]
	}
	return s
}

// The attributes behind a diagMessage that are read: INET_DIAG_INFO, which has to be asked for,
// and INET_DIAG_SKV6ONLY.
const tcpInfo, v6Only = 2, 11

// attributes reads them. The kernel says unasked of an IPv6 socket that listens, or only has an
// address, whether it takes no IPv4.
//
// Source: inet_diag_msg_attrs_fill in Linux's net/ipv4; linux/inet_diag.h; struct tcp_info.
func (s *Socket) attributes(attributes []byte) {
	const header, align, unsent = 4, 4, unsafe.Offsetof(unix.TCPInfo{}.Notsent_bytes)
	for len(attributes) > header {
		length := int(binary.NativeEndian.Uint16(attributes))
		if length < header || length > len(attributes) {
			break
		}
		switch kind, value := binary.NativeEndian.Uint16(attributes[2:]), attributes[header:length]; {
		case kind == v6Only && len(value) > 0:
			s.V6Only = value[0] != 0
		case kind == tcpInfo && len(value) >= int(unsent)+4:
			s.Unsent = int(binary.NativeEndian.Uint32(value[unsent:]))
		}
		attributes = attributes[min((length+align-1)&^(align-1), len(attributes)):]
	}
}

func (m *diagMessage) address(addr [16]byte, port [2]byte) netip.AddrPort {
	ip := netip.AddrFrom16(addr).Unmap()
	if m.family == unix.AF_INET {
		ip = netip.AddrFrom4([4]byte(addr[:4]))
	}
	return netip.AddrPortFrom(ip, binary.BigEndian.Uint16(port[:]))
}

// oneRequest is a header and struct inet_diag_req_v2.
type oneRequest struct {
	unix.NlMsghdr
	family   uint8
	protocol uint8
	more     uint8
	_        uint8
	states   uint32
	id       diagID
}

// allRequest is a header and struct inet_diag_req, which is older and asks for both
// families at once; and, as an attribute, a program that the kernel runs on each socket, so
// that it copies only those of the ports.
type allRequest struct {
	unix.NlMsghdr
	_         [4]uint8
	_         diagID
	states    uint32
	_         uint32
	attribute uint16 // its length
	isProgram uint16
	program   [2*3*wire.MostPorts - 1]op
}

// op is an instruction of the program: how many bytes to go on if it holds, and if
// not. To go on just behind the last one is to accept the socket, further is not. What
// compares a port has that behind it, where an op has its no.
type op struct {
	code, yes uint8
	no        uint16
}

// The numbers are those of linux/inet_diag.h. A jump goes where its no says.
const (
	allFamilies = 18 // TCPDIAG_GETSOCK
	bytecode    = 1  // INET_DIAG_REQ_BYTECODE
	jump        = 1
	localEqual  = 11
	remoteEqual = 12
)

// portProgram appends the program that accepts sockets whose local or remote port is one of
// some. The kernel refuses it if it looks as if it could go anywhere but forwards.
//
// Source: inet_diag_bc_audit and inet_diag_bc_run in Linux's net/ipv4.
func portProgram(program []op, ports []uint16) []op {
	const size = 4        // of an op
	const each = 3 * size // a comparison, its port, and the jump
	left := 2*len(ports)*each - size
	for _, port := range ports {
		for _, code := range []uint8{localEqual, remoteEqual} {
			program = append(program, op{code, 2 * size, each}, op{no: port}) // or go on behind the jump
			if left -= 2 * size; left > 0 {
				program = append(program, op{jump, size, uint16(left)}) // accept
				left -= size
			}
		}
	}
	return program
}

// askAll asks for the sockets in some states whose local or remote port is one of ports.
func (a *asker) askAll(ports []uint16, states uint32) error {
	r := &allRequest{
		NlMsghdr:  unix.NlMsghdr{Type: allFamilies, Flags: unix.NLM_F_REQUEST | unix.NLM_F_DUMP},
		states:    states,
		isProgram: bytecode,
	}
	program := portProgram(r.program[:0], ports)
	length := unsafe.Offsetof(r.program) + uintptr(len(program))*unsafe.Sizeof(op{})
	r.attribute = uint16(length - unsafe.Offsetof(r.attribute))
	return a.ask(&r.NlMsghdr, length)
}

// askOne asks for the socket with these addresses.
func (a *asker) askOne(local, remote netip.AddrPort, link uint32) error {
	r := &oneRequest{
		NlMsghdr: unix.NlMsghdr{Type: unix.SOCK_DIAG_BY_FAMILY, Flags: unix.NLM_F_REQUEST},
		family:   unix.AF_INET6, protocol: unix.IPPROTO_TCP, more: a.more, states: ^uint32(0),
	}
	if local.Addr().Is4() {
		r.family = unix.AF_INET
	}
	copy(r.id.local[:], local.Addr().AsSlice())
	copy(r.id.remote[:], remote.Addr().AsSlice())
	binary.BigEndian.PutUint16(r.id.localPort[:], local.Port())
	binary.BigEndian.PutUint16(r.id.remotePort[:], remote.Port())
	r.id.link = link
	r.id.cookie = [2]uint32{^uint32(0), ^uint32(0)} // INET_DIAG_NOCOOKIE
	return a.ask(&r.NlMsghdr, unsafe.Sizeof(*r))
}

// ask sends a question of some length, which begins with its header.
func (a *asker) ask(header *unix.NlMsghdr, length uintptr) error {
	a.sequence++
	header.Len, header.Seq = uint32(length), a.sequence
	question := unsafe.Slice((*byte)(unsafe.Pointer(header)), length)
	err := unix.Sendto(a.fd, question, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
	a.given = time.Now()
	return sys.Fail("sendto", "NETLINK_SOCK_DIAG", err)
}
