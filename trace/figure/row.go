package figure

import (
	"time"

	"lbaws/trace/event"
	"lbaws/trace/figure/wording"
	"lbaws/trace/message"
	"lbaws/trace/wire"
)

// Row is one row of the connection diagram. It is a plain value, which knows
// nothing of columns or pixels: what has to fit is cut where the row is drawn.
// It is good until the figure takes the next event.
type Row struct {
	Text wording.Text // of a ReturnRow: as it stands on a row of its own
	Rest wording.Text // of a ReturnRow: as it goes on behind its BeginRow

	Kind         rowKind
	Side         event.Side    // in whose column; of an arrow, who sends
	At           time.Time     // when
	Conversation *conversation // the one that it is about, or nil
	Call         int           // the number of its call, by which a ReturnRow finds its BeginRow
	Program      int           // of a call: which program of its side makes it
	Proxies      [2]int        // by side: the number of the program whose end it is, if that is a server and a client at once; or else 0
	Name         string        // the name of its call

	Others  bool           // of a call: whether it is another program's
	Ready   bool           // of a BeginRow: whether it is sure that the call finds bytes to read
	Blocked bool           // of a ReturnRow: whether it is sure that the call waited for something
	Remark  string         // stands behind the text
	Kills   bool           // of a NoteRow: whether the program ends here
	Warning bool           // of a NoteRow: whether something is missing
	General bool           // of a NoteRow: whether it says what such a call does anywhere
	Mistake bool           // of a NoteRow: whether it says that something was done wrong
	Legend  bool           // of a NoteRow: whether it says what a mark means
	Held    bool           // of a NoteRow: whether it explains a SocketRow
	Folded  bool           // of a NoteRow: whether it says how many calls are not shown
	Failed  bool           // of a call: whether it returned an error; of an arrow: whether it is a RST
	Parts   []message.Part // of a PartsRow

	Implied bool          // of an arrow: whether nobody has seen it
	Lost    bool          // of an arrow: whether it ends on the way: it was lost, or dropped
	Mss     int           // of an arrow: the maximum segment size that a SYN says, or 0
	States  [2]wire.State // of an arrow: each side's, where it has changed
	Asked   [2]bool       // of an arrow: whether the kernel gave that state
}

type rowKind int

const (
	HeadRow   rowKind = iota // names the columns
	BeginRow                 // a call that may wait begins: what is known of it
	ReturnRow                // such a call has returned
	CallRow                  // any other call
	NoteRow                  // explains the next row
	PartsRow                 // the parts of a message, each with its name
	ArrowRow                 // a segment, or what the calls imply of segments
	SocketRow                // a change in what the kernel holds
	RuleRow                  // the rows that follow are about another connection
)

// Lane is one of the places side by side in which rows stand, and arrows end.
type Lane int

// The lanes. Right and Left are those of the two sides.
const (
	Right  = Lane(event.Server)
	Left   = Lane(event.Client)
	Middle = Left + 1 // of programs that are servers and clients at once
)

// Lane returns the one in which a row stands.
func (r *Row) Lane() Lane { return r.LaneOf(r.Side) }

// LaneOf returns the one of one side's end of a connection.
func (r *Row) LaneOf(side event.Side) Lane {
	if r.Proxies[side] > 0 {
		return Middle
	}
	return Lane(side)
}

// IsWithin reports whether both ends of an arrow are in the lane in the middle.
func (r *Row) IsWithin() bool { return r.LaneOf(event.Client) == r.LaneOf(event.Server) }

// Marks are what stands before the first line of a NoteRow, and before its others.
func (r *Row) Marks() (first, rest string) {
	if r.Mistake {
		return "! ", "  "
	}
	return "# ", "# "
}

// Timed reports whether a row has a time.
func (r *Row) Timed() bool {
	switch r.Kind {
	case HeadRow, NoteRow, PartsRow, RuleRow:
		return false
	}
	return !r.Implied
}

// HeldMark stands before what the kernel gave when it was asked.
const HeldMark = "▪"
