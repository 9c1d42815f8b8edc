package predict

import "golang.org/x/sys/unix"

// Outcome is what a call does: it waits, or returns at once; of a write, a shutdown and a close,
// also what goes out.
type Outcome struct {
	Waits  bool
	Errno  unix.Errno // why it fails; 0 if it does not
	Result int        // what it returns if it does neither
	Sends  Sent       // of those three that succeed; Unseen of all others
}

// Sent is what a call makes the kernel send.
type Sent int

// What is sent.
const (
	Unseen     Sent = iota // it is not known, or not asked
	Nothing                // at once
	Data                   // bytes
	DataForRST             // bytes, and a RST comes back
	FIN                    // the end of this direction
	RST                    // the end of the connection, or of those in a queue
)
