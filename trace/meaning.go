package trace

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/trace/sockets"
)

// meaning says in two sentences what a call does, when it begins, or has done, when it
// has returned. note is what the diagram says of the call; "" if that is nothing.
//
// Source: the call's man page; UNP chapters 4 and 5.
func meaning(e *Event, returned bool, note string) string {
	switch {
	case !returned:
		return sentence(note) + begins[e.Call]
	case e.failed():
		return fmt.Sprintf("The call has failed with %s: %s. It returned -1, and errno says why.", sys.ErrnoName(e.Errno), e.Errno.Error())
	}
	switch e.Call {
	case socketCall:
		return fmt.Sprintf("The kernel has made a socket, and descriptor %d leads to it. It has no address and no peer yet.", e.Result)
	case setsockoptCall:
		if e.Args[2].Int == unix.SO_REUSEADDR {
			note = "the next bind may take the port, even if old connections on it are in TIME_WAIT"
		}
		return sentence(note) + " No segment was sent."
	case bindCall:
		if e.Args[1].Addr.AddrPort().Port() == 0 {
			return "The kernel has chosen a free port; getsockname says which. No segment was sent."
		}
		return fmt.Sprintf("The socket's own address is %s now. No segment was sent.", e.Args[1].Addr.AddrPort())
	case listenCall:
		return "The socket listens: from now on the kernel answers SYNs itself, and queues the connections for accept. " +
			"As many may wait as the backlog says, and one more."
	case acceptCall:
		return fmt.Sprintf("The connection with %s has left the queue: descriptor %d leads to its socket. "+
			"The listening socket goes on listening.", e.Args[1].Addr.AddrPort(), e.Result)
	case connectCall:
		return "The other end's kernel has answered: for this end the connection is established, whether or not the other " +
			"program has called accept. The handshake's last segment, an ACK, is on its way."
	case readCall:
		if e.Result == 0 {
			return "0 is end of file: usually, the peer's FIN has come, and all bytes before it were read. " +
				"This end can still write, until its own FIN is sent."
		}
		return fmt.Sprintf("The kernel has copied %s from the receive buffer to the program. "+
			"How the peer cut its writes does not matter: the bytes are a stream.", sockets.Bytes(e.Result))
	case writeCall:
		return fmt.Sprintf("The kernel has copied %s to the send buffer, and sends them itself. "+
			"They stay there until the peer acknowledges them, and the call does not wait for that.", sockets.Bytes(e.Result))
	case shutdownCall:
		return sentence(note) + " The descriptor stays open until close."
	case closeCall:
		if note == "" {
			note = "no FIN is sent"
		}
		return fmt.Sprintf("%s Descriptor %d is free again.", sentence(note), e.Args[0].Int)
	case getsocknameCall:
		return fmt.Sprintf("The socket's own address is %s. No segment was sent.", e.Args[1].Addr.AddrPort())
	}
	if e.Recorded != nil && note == "" {
		note = e.Recorded.Note
	}
	return sentence(note)
}

// begins has, of calls that may wait, what ends the wait.
var begins = map[*Call]string{
	acceptCall:  " It returns at once if a connection is in the queue.",
	connectCall: " It returns when the SYN+ACK has come, or fails.",
	readCall:    " It returns as soon as there is any byte, however many it asks for.",
	writeCall:   " It returns when all of them are in the send buffer.",
}

// sentence makes a sentence of a note.
func sentence(note string) string {
	if note == "" {
		return ""
	}
	return strings.ToUpper(note[:1]) + note[1:] + "."
}
