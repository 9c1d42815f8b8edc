package trace

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"lbaws/trace/sockets"
)

// meaning says in a sentence what a call does, when it begins, or has done, when it has
// returned. note is what the diagram says of the call; "" if that is nothing.
func meaning(e *Event, returned bool, note string) string {
	switch {
	case !returned:
		return sentence(note)
	case e.failed():
		text := appendMessage(nil, e.Errno)
		return sentence(e.Call.Name + " failed: " + string(text))
	}
	switch e.Call {
	case socketCall:
		return fmt.Sprintf("The kernel has made a socket, and descriptor %d leads to it. It has no address and no peer yet.", e.Result)
	case setsockoptCall:
		if e.Args[2].Int == unix.SO_REUSEADDR {
			return "The next bind may take the port, even if old connections on it are in TIME_WAIT."
		}
	case bindCall:
		if e.Args[1].Addr.AddrPort().Port() == 0 {
			return "The kernel has chosen a free port; getsockname says which."
		}
		return fmt.Sprintf("The socket's own address is %s now. No segment was sent.", e.Args[1].Addr.AddrPort())
	case listenCall:
		return "The socket listens: from now on the kernel answers SYNs itself, and queues the connections for accept."
	case acceptCall:
		return fmt.Sprintf("The connection with %s has left the queue: descriptor %d leads to its socket.", e.Args[1].Addr.AddrPort(), e.Result)
	case connectCall:
		return "The other end's kernel has answered: for this end the connection is established, whether or not the other program has called accept."
	case readCall:
		if e.Result == 0 {
			return "0 is end of file: usually, the peer's FIN has come, and all bytes before it were read."
		}
		return fmt.Sprintf("The kernel has copied %s from the receive buffer to the program.", sockets.Bytes(e.Result))
	case writeCall:
		return fmt.Sprintf("The kernel has copied %s to the send buffer, and sends them itself.", sockets.Bytes(e.Result))
	case closeCall:
		if note == "" {
			return fmt.Sprintf("Descriptor %d is free again.", e.Args[0].Int)
		}
	case getsocknameCall:
		return fmt.Sprintf("The socket's own address is %s.", e.Args[1].Addr.AddrPort())
	}
	return sentence(note)
}

// sentence makes a sentence of a note.
func sentence(note string) string {
	if note == "" {
		return ""
	}
	return strings.ToUpper(note[:1]) + note[1:] + "."
}
