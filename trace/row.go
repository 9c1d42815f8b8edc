package trace

import (
	"time"

	"lbaws/trace/message"
	"lbaws/trace/wire"
)

// row is one row of the connection diagram. It is a plain value, which knows
// nothing of columns or pixels: what has to fit is cut where the row is drawn.
// It is good until the figure takes the next event.
type row struct {
	facts
	text text // of a returnRow: as it stands on a row of its own
	rest text // of a returnRow: as it goes on behind its beginRow
}

// facts are what a row has beside its texts.
type facts struct {
	kind         rowKind
	side         Side          // in whose column; of an arrow, who sends
	at           time.Time     // when
	conversation *conversation // the one that it is about, or nil
	call         int           // the number of its call, by which a returnRow finds its beginRow
	program      int           // of a call: which program of its side makes it
	name         string        // the name of its call

	remark  string         // stands behind the text
	kills   bool           // of a noteRow: whether the program ends here
	warning bool           // of a noteRow: whether something is missing
	general bool           // of a noteRow: whether it says what such a call does anywhere
	legend  bool           // of a noteRow: whether it says what a mark means
	failed  bool           // of a call: whether it returned an error; of an arrow: whether it is a RST
	parts   []message.Part // of a partsRow

	implied bool          // of an arrow: whether nobody has seen it
	mss     int           // of an arrow: the maximum segment size that a SYN says, or 0
	states  [2]wire.State // of an arrow: each side's, where it has changed
	asked   [2]bool       // of an arrow: whether the kernel gave that state
}

type rowKind int

const (
	headRow   rowKind = iota // names the columns
	beginRow                 // a call that may wait begins: what is known of it
	returnRow                // such a call has returned
	callRow                  // any other call
	noteRow                  // explains the next row
	partsRow                 // the parts of a message, each with its name
	arrowRow                 // a segment, or what the calls imply of segments
	socketRow                // a change in what the kernel holds
	ruleRow                  // the rows that follow are about another connection
)

// timed reports whether a row has a time.
func (r *row) timed() bool {
	switch r.kind {
	case headRow, noteRow, partsRow, ruleRow:
		return false
	}
	return !r.implied
}

// heldMark stands before what the kernel gave when it was asked.
const heldMark = "▪"

// text is a text with a buffer in it, of which it may show any part.
type text struct {
	before []byte
	buffer []byte
	quoted bool // whether there is a buffer
	more   bool // whether that is only the beginning of what was read or written
	after  []byte
	tail   int    // how many bytes at the end are not cut off before others
	room   []byte // for a buffer
}

// append appends the text with at most limit bytes of its buffer.
func (t *text) append(b []byte, limit int) []byte {
	b = append(b, t.before...)
	if t.quoted {
		b = appendQuoted(b, t.buffer, limit)
		if t.more && limit >= len(t.buffer) {
			b = append(b, "..."...)
		}
	}
	return append(b, t.after...)
}

// clear makes t empty, and keeps its room.
func (t *text) clear() {
	t.before, t.after, t.room = t.before[:0], t.after[:0], t.room[:0]
	t.buffer, t.quoted, t.more, t.tail = nil, false, false, 0
}
