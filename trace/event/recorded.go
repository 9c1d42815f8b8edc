package event

import (
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"
)

// Recorded is a call as a recording has it: strace's own text.
type Recorded struct {
	Name   string // recvfrom, of a call that does what read does
	Begin  []byte // the arguments that are known when the call begins, with the comma behind them
	All    bool   // whether that is all of them
	Rest   []byte // or else: the others
	Result []byte // what stands behind the equals sign
	Thread int    // who makes it, as the recording has it; 0 if it does not say
	Worker int    // which of its program's threads that is: 0 for the first
	Note   string // what such a call does, if the server and the client do not make it
	Others bool   // whether strace has written it, of any program, and not this one's json format
	Whole  bool   // whether the buffer in the text is all of Args[1].Data, or its beginning

	Socket    int            // of another program: names the socket that the call is about, or is 0
	Made      int            // and the one that it has made
	Meets     int            // and the other end of the connection that it is about, or has made; 0 is not known, and Nobody is none of the programs'
	Port      uint16         // that the socket is bound or connected to; 0 if it is not known
	Peer      netip.AddrPort // the peer, if strace -yy or the kernel says it
	Local     netip.AddrPort // of connect and listen: the address that the kernel has given the socket, if it says it
	NoSocket  bool           // whether its descriptor leads to no socket, so that it fails
	Unclear   bool           // of a close: whether it is not known if other descriptors lead to the socket
	Resets    bool           // of a close: whether it sends a RST in any case, by SO_LINGER
	Unread    *int           // of a close: how many bytes were unread when it began; nil if the kernel was not asked
	Connected bool           // whether it shows that a connect is complete that was begun
	To        netip.AddrPort // of a write: to where it connects first, by MSG_FASTOPEN
	Told      unix.Errno     // of getsockopt: the error of the connection that SO_ERROR has told; no other call tells it again
	AtOnce    bool           // whether it does not wait: the socket is non-blocking, or a flag says so
	Peeks     bool           // whether it leaves the bytes in the buffer that it reads: MSG_PEEK
	NoSignal  bool           // of a write: whether no SIGPIPE comes if the connection is gone: MSG_NOSIGNAL
	Bytes     int            // that it has moved, if its result does not say so
	Moves     Effect         // Reads or Writes, of a call that moves bytes and does nothing else of these
	Fills     bool           // whether it waits until its buffer is full: MSG_WAITALL
	Signal    string         // that has interrupted it; "" if none has
	Handled   bool           // whether that one's handler runs: then it is known what becomes of the call
	Again     bool           // whether it has no result, and the kernel makes it again

	text []byte // memory of its own, for Begin, Rest and Result
}

// Nobody stands for the socket of a program that is not followed, or not in the recordings.
const Nobody = -1

// CopyTo makes a copy of r in the memory that kept has, or in new memory if that is nil, and
// returns it. The program's text may change then.
func (r *Recorded) CopyTo(kept *Recorded) *Recorded {
	if r == nil {
		return nil
	}
	if kept == nil {
		kept = new(Recorded)
	}
	text := kept.text[:0]
	*kept = *r
	for _, part := range []*[]byte{&kept.Begin, &kept.Rest, &kept.Result} {
		text = append(text, *part...)
		*part = text[len(text)-len(*part):]
	}
	kept.text = text
	return kept
}

// Workers are the threads of a process that make calls, by their numbers.
type Workers struct{ threads []int }

// Number returns which one a thread is: 0 for the process's first, which has its number. Of
// more than a few, the others are not told apart from that one.
func (w *Workers) Number(thread, process int) int {
	const most = 64
	if w.threads == nil {
		w.threads = []int{process}
	}
	i := slices.Index(w.threads, thread)
	if i < 0 && len(w.threads) < most {
		i = len(w.threads)
		w.threads = append(w.threads, thread)
	}
	return max(i, 0)
}

// IsOthers reports whether the call is another program's: it may have several processes,
// and wait for several connections at once. Its sockets have names.
func (e *Event) IsOthers() bool { return e.Recorded != nil && e.Recorded.Others }

// Opens reports whether the call connects a socket of another program.
func (e *Event) Opens() bool {
	return e.IsOthers() && !e.Recorded.NoSocket && (e.Call.Does == Connects || e.Recorded.To.IsValid())
}

// NoSocket reports whether the call's descriptor leads to no socket: it was closed, is that of a
// call that has failed, or leads to a file.
func (e *Event) NoSocket() bool { return e.Recorded != nil && e.Recorded.NoSocket }

// Peer is the address that a call has returned that accepts a connection. A program that does
// not ask for it may be told of by the kernel.
func (e *Event) Peer() netip.AddrPort {
	if peer := e.Args[1].Addr.AddrPort(); peer.IsValid() || e.Recorded == nil {
		return peer
	}
	return e.Recorded.Peer
}

// Until says what ends the call's wait, as a sentence; "" if it never waits.
func (e *Event) Until() string {
	if e.Recorded != nil && e.Recorded.AtOnce && e.Call.Waits {
		return ""
	}
	return e.Call.Until
}

// Name is the call's name.
func (e *Event) Name() string {
	if e.Recorded != nil {
		return e.Recorded.Name
	}
	return e.Call.Name
}

// ThreadID is the number of the thread that makes the call; 0 if there is only one.
func (e *Event) ThreadID() int {
	if e.Recorded != nil {
		return e.Recorded.Thread
	}
	return e.Thread
}

// Moved is how many bytes a call has read or written.
func (e *Event) Moved() int {
	if e.Recorded != nil && e.Recorded.Bytes > 0 {
		return e.Recorded.Bytes
	}
	return e.Result
}

// Moves reports whether a call reads or writes, whatever else it does.
func (e *Event) Moves(effect Effect) bool {
	return e.Call.Does == effect || e.Recorded != nil && e.Recorded.Moves == effect
}

// Peeks reports whether a call leaves the bytes in the buffer that it reads.
func (e *Event) Peeks() bool { return e.Recorded != nil && e.Recorded.Peeks }

// Received is what the call has read, as far as it is known.
func (e *Event) Received() []byte {
	data := e.Args[1].Data
	return data[:max(0, min(e.Moved(), len(data)))]
}

// Cut reports whether a recording has only the beginning of the call's buffer.
func (e *Event) Cut() bool {
	switch e.Call.Does {
	case Reads:
		return e.Moved() > len(e.Args[1].Data)
	case Writes:
		return e.Args[2].Int > len(e.Args[1].Data)
	}
	return false
}
