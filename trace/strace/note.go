package strace

import (
	"bytes"
	"net/netip"

	"lbaws/trace/wire"
)

// Note is what strace -y or -yy has written behind a descriptor.
type Note struct {
	Is    bool   // whether there is one
	TCP   bool   // whether it says that this is a TCP socket
	Inode string // by which it names a socket; "" if it does not
	Ends  Ends   // the addresses that it names
}

// Ends are the addresses of a socket. Those of the peer are the same the other way round.
type Ends struct{ Local, Remote netip.AddrPort }

// Connected reports whether these are the addresses of a connection.
func (e Ends) Connected() bool { return e.Local.Port() != 0 && e.Remote.Port() != 0 }

// ParseNote reads what stands behind a descriptor in an argument.
func ParseNote(arg []byte) (n Note) {
	const longest = 1 << 8 // of a socket's note
	text := bytes.TrimLeft(arg, "0123456789")
	text = text[:min(len(text), longest)]
	if n.Is = IsNote(text); !n.Is {
		return n
	}
	kind, rest, _ := bytes.Cut(text[1:], []byte(":["))
	inside, _, closed := bytes.Cut(rest, []byte("]>"))
	n.TCP = bytes.HasPrefix(kind, []byte("TCP"))
	if !closed || !n.TCP && string(kind) != "socket" {
		return n
	}
	if len(bytes.TrimLeft(inside, "0123456789")) == 0 {
		n.Inode = string(inside)
		return n
	}
	local, remote, _ := bytes.Cut(inside, []byte("->"))
	n.Ends.Local, n.Ends.Remote = addressIn(local), addressIn(remote)
	return n
}

// addressIn reads an address and a port; the zero AddrPort if there is none.
func addressIn(text []byte) netip.AddrPort {
	addr, err := wire.ParseAddrPort(string(text))
	if err != nil {
		return netip.AddrPort{}
	}
	return wire.Plain(addr)
}

// IsSockets reports whether a descriptor with this note may lead to a TCP socket.
func (n *Note) IsSockets() bool { return n.TCP || n.Inode != "" }
