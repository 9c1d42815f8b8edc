package picture

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"lbaws/trace/event"
	"lbaws/trace/figure"
	"lbaws/trace/layout"
	"lbaws/trace/wire"
)

// Lifelines draws rows as shapes of an SVG, time running down: a line for each program,
// with a bar on it for as long as the kernel has not answered a call; outside of them
// the calls and the states, between them the segments. Each row has its own piece of
// the lines, so that the part of a picture down to any row is a picture too. From the row on
// that names a program that is a server and a client at once, there is a lane for such
// programs between the two, with their calls on its right.
type Lifelines struct {
	shapes
	lanes  [3]lane
	titled bool         // whether the lanes have their titles
	three  bool         // whether there is a lane in the middle
	narrow bool         // whether the texts stand between the lanes: there are two, then
	brief  bool         // whether what rows with ! and long notes explain stands elsewhere
	gap    float64      // between the lanes
	label  int          // how many characters the longest label of an arrow has
	clock  layout.Clock // writes the times
	both   bool         // whether a call waits for its turn, too, before it returns

	Y     float64        // below the last row
	reach float64        // where the longest rule ends
	time  string         // of the row in hand, until it is drawn
	last  map[int][2]int // by a connection's number: which program of each side has made the last call on it

	called [2]bool // by side: whether one of its programs has made a call

	open   *begun  // the call that the last row begins, or nil
	opened []begun // calls that have begun, and have not returned
	legend []string

	failed     bool        // whether a call has
	folded     figure.Lane // whose calls are on the last row
	foldColumn int         // where the next of them is to stand; 0 if it needs a row of its own
}

// begun is a call that has begun.
type begun struct {
	call, program int
	side          event.Side
	lane          figure.Lane
	line          int     // which of the lane's lifelines has its bar
	others        bool    // whether it is another program's
	ready         bool    // whether it does not wait
	text          []byte  // what is known of it
	y             float64 // where there is room to say that it blocks
}

// Sizes in pixels.
const (
	rowHeight   = 19.0
	arrowHeight = 32.0
	Margin      = 14.0
	beside      = 10.0 // between a line and the texts beside it
	barWidth    = 7.0
	labelSpace  = 6.0 // beside an arrow's label, for half of a bar
	lineHeight  = 15.0
	labelLength = 28 // how many characters of it stand on a line at least
)

// newLifelines returns lifelines where a character takes unit pixels. The texts of the lanes
// may have as many characters as room says.
func newLifelines(columns layout.Columns, unit float64, room [3]int) *Lifelines {
	l := &Lifelines{shapes: shapes{unit: unit}, gap: gap(labelLength, unit), clock: layout.Clock{Times: columns.Times}, both: columns.Both, last: make(map[int][2]int)}
	for i := range l.lanes {
		l.lanes[i] = lane{Layout: layout.Layout{Width: room[i], Limit: columns.Limit}, lines: []lifeline{{program: ended}}, most: 1}
	}
	return l
}

// gap is how far the lanes are from each other, if no texts stand between them, and labels of so
// many characters.
func gap(label int, unit float64) float64 { return float64(label)*unit + 2*labelSpace }

// draw draws a row.
func (l *Lifelines) draw(r *figure.Row) {
	lane := &l.lanes[r.Lane()]
	isRest := l.open != nil && r.Kind == figure.ReturnRow && r.Call == l.open.call
	if isRest && (l.clock.Times == layout.NoTimes || r.Remark == "") {
		if whole, fits := lane.Join(bytes.Clone(l.open.text), layout.Characters(l.open.text), r); fits {
			l.open = nil
			l.call(r, string(whole))
			return
		}
	}
	if isRest && r.Remark == "" { // it has not waited: there is only no room for all of it
		l.begins()
	} else {
		l.cutOff()
	}
	l.time = string(l.clock.Read(r))
	if r.Kind != figure.CallRow && !r.General {
		l.foldColumn = 0
	}
	l.lives(r)
	l.failed = l.failed || r.Failed && r.Kind != figure.ArrowRow
	switch r.Kind {
	case figure.HeadRow:
		l.titles(string(r.Text.Before))
	case figure.BeginRow:
		l.open = &begun{call: r.Call, program: r.Program, side: r.Side, lane: r.Lane(), others: r.Others, ready: r.Ready}
		l.open.text, _ = lane.Shorten(nil, &r.Text, lane.Width-1) // it is wrapped, if it is long
	case figure.ReturnRow:
		l.returned(r)
	case figure.CallRow:
		if !l.fold(r) {
			text, _ := lane.Shorten(nil, &r.Text, lane.Width)
			l.call(r, string(text))
		}
	case figure.NoteRow:
		l.note(r)
	case figure.PartsRow:
		l.parts(r)
	case figure.ArrowRow:
		l.arrow(r)
		l.over(r)
	case figure.SocketRow:
		l.held(r)
	case figure.RuleRow:
		l.line(arrowHeight, string(r.Text.Before))
		l.stroke("rule", Margin, l.Y-rowHeight, l.Right()-Margin, l.Y-rowHeight)
		l.put(l.left(figure.Left), l.Y-5, "over", string(r.Text.Before))
		l.reach = max(l.reach, l.left(figure.Left)+l.length(string(r.Text.Before)))
	}
}

// line makes room for a row with its piece of the lifelines.
func (l *Lifelines) line(height float64, said string) {
	top := l.Y
	l.Y += height
	for _, lane := range l.shown() {
		for i, line := range l.lanes[lane].lines {
			if l.lanes[lane].isDrawn(i) {
				l.stroke(name(lane), l.lineAt(lane, i), top, l.lineAt(lane, i), l.Y)
			}
			if line.busy > 0 {
				l.bar(lane, i, top, l.Y)
			}
		}
	}
	if l.time != "" {
		said = l.time + ": " + said
		n := float64(l.clock.Column()-1-len(l.time)) * l.unit
		l.put(Margin+n, l.Y-5, "call", l.time)
		l.time = ""
	}
	if said != "" {
		l.Said.WriteString(said + "\n")
	}
}

// beside draws a text beside a lane's lifelines: on the left of the client's, on the right of
// the others; or between them.
func (l *Lifelines) beside(lane figure.Lane, y float64, class, text string) {
	text = strings.Replace(text, `""...`, "…", 1) // there is room for none of the bytes
	l.needs(lane, utf8.RuneCountInString(text))
	x := l.nearest(lane)
	if l.endsAtLine(lane) {
		x -= l.length(text)
	}
	l.put(x, y, class, text)
}

// text draws a text that begins at a column of a lane.
func (l *Lifelines) text(lane figure.Lane, column int, y float64, class, text string) {
	l.needs(lane, column+utf8.RuneCountInString(text))
	l.put(l.left(lane)+float64(column)*l.unit, y, class, text)
}

// class is the class of a row's shapes, with "error" where something has gone
// wrong.
func class(r *figure.Row, name string) string {
	if r.Failed || r.Warning || r.Mistake {
		return name + " error"
	}
	return name
}

// titles names the lifelines: also that of a program that is a server and a client at once, if
// there is one.
func (l *Lifelines) titles(proxy string) {
	l.Y += rowHeight + Margin/2
	l.titled = true
	if l.three = proxy != ""; l.three {
		l.Shapes.WriteString("<style>\n" + proxyStyle + "</style>\n")
		l.Said.WriteString("client, " + proxy + " and server, time running down\n")
	} else {
		l.Said.WriteString("client and server, time running down\n")
	}
	for _, lane := range l.shown() {
		title := strings.ToUpper(name(lane))
		if lane == figure.Middle {
			title = proxy
		}
		l.lanes[lane].title = max(l.lanes[lane].title, utf8.RuneCountInString(title))
		l.beside(lane, l.Y-7, name(lane), title)
	}
	if l.time != "" {
		l.put(Margin, l.Y-7, "note", l.time)
		l.time = ""
	}
}

// note draws a note, if it says more than what such a call does anywhere. What marks
// mean is kept for the end.
func (l *Lifelines) note(r *figure.Row) {
	if r.Legend {
		l.legend = append(l.legend, string(r.Text.Before))
	}
	if r.General || r.Legend {
		return
	}
	if !l.titled {
		l.preface(string(r.Text.Before))
		return
	}
	if r.Kills { // its calls that wait do not return
		l.opened = slices.DeleteFunc(l.opened, func(b begun) bool {
			isOwn := b.lane == r.Lane() || b.lane == figure.Right && r.Lane() == figure.Middle // it had its number there
			ends := isOwn && b.program == r.Program
			if ends {
				l.lanes[b.lane].lines[b.line].busy--
			}
			return ends
		})
	}
	if l.brief && IsLong(r) && !r.Mistake {
		return
	}
	lines, column := l.balanced(r), 0
	if l.endsAtLine(r.Lane()) {
		column = l.lanes[r.Lane()].Width - longest(lines)
	}
	for _, line := range lines {
		l.line(rowHeight, line)
		l.text(r.Lane(), column, l.Y-5, class(r, "note"), line)
	}
	if r.Kills {
		l.lanes[r.Lane()].dies(r.Program)
	}
}

// IsLong reports whether a note explains something in more than a few words.
func IsLong(r *figure.Row) bool {
	const few = 50 // characters
	return !r.General && !r.Legend && !r.Warning && !r.Kills && utf8.RuneCount(r.Text.Before) > few
}

// balanced cuts a note into as few lines as its lane has room for, and makes them about as
// long as each other: a last line of one word would look like a note of its own.
func (l *Lifelines) balanced(r *figure.Row) []string {
	room := layout.Layout{Width: l.lanes[r.Lane()].Width}
	text := string(r.Text.Before)
	first, rest := r.Marks()
	if l.brief && r.Mistake {
		text = shorter(text, &room)
	}
	lines := room.Wrapped(figure.Left, text, first, rest)
	for room.Width > len(first)+1 {
		room.Width--
		shorter := room.Wrapped(figure.Left, text, first, rest)
		isCut := strings.ReplaceAll(strings.Join(shorter, "\n"), "\n"+rest, " ") != first+text // a word is
		if len(shorter) > len(lines) || isCut {
			break
		}
		lines = shorter
	}
	return lines
}

// shorter is as much of what a row with ! says as a few lines have room for: all of it; without where
// to read more; or without what explains it.
func shorter(text string, room *layout.Layout) string {
	const few = 4
	for _, end := range []string{" (docs/", ": "} {
		if len(room.Wrapped(figure.Left, text, "", "")) > few {
			text, _, _ = strings.Cut(text, end)
		}
	}
	return text
}

// longest is how many characters the longest of some lines has.
func longest(lines []string) (n int) {
	for _, line := range lines {
		n = max(n, utf8.RuneCountInString(line))
	}
	return n
}

// preface draws a note that stands above all lanes.
func (l *Lifelines) preface(text string) {
	whole := layout.Layout{Width: int((l.Right() - 2*Margin) / l.unit)}
	for _, line := range whole.Wrapped(figure.Left, text, "# ", "# ") {
		l.Y += rowHeight
		l.put(Margin, l.Y-5, "note", line)
		l.Said.WriteString(line + "\n")
	}
}

// held draws a change in what the kernel holds.
func (l *Lifelines) held(r *figure.Row) {
	for _, line := range l.lanes[r.Lane()].Wrapped(figure.Left, string(r.Text.Before), figure.HeldMark+" ", "  ") {
		l.line(rowHeight, r.Side.String()+"'s kernel: "+line)
		l.beside(r.Lane(), l.Y-5, "held", line)
	}
}

// parts draws each part above its name.
func (l *Lifelines) parts(r *figure.Row) {
	_, parts := l.lanes[r.Lane()].Place(figure.Left, r.Parts)
	said := ""
	for _, p := range r.Parts {
		said += p.Name + " " + layout.SaidPart(p.Text) + "; "
	}
	l.line(rowHeight, said)
	l.line(rowHeight, "")
	for _, p := range parts {
		l.text(r.Lane(), p.Column, l.Y-rowHeight-5, "part", string(p.Text))
		l.text(r.Lane(), p.Column, l.Y-5, "note", p.Name)
	}
	x := l.left(r.Lane()) + l.unit
	l.stroke("bar", x, l.Y-2*rowHeight, x, l.Y)
}

// arrow draws a segment from line to line, down a little: it takes time.
func (l *Lifelines) arrow(r *figure.Row) {
	style, said := class(r, "seen"), "segment"
	if r.Implied {
		style, said = class(r, "implied"), "implied"
	}
	label := string(r.Text.Before)
	l.label = max(l.label, utf8.RuneCountInString(label))
	if r.Mss > 0 { // as in UNP figure 2.5
		label += fmt.Sprintf(", mss %d", r.Mss)
	}
	lines := l.wrappedLabel(label)
	below := 0.0 // the arrow, for its states
	if l.narrow && r.States != [2]wire.State{} {
		below = lineHeight
	}
	l.line(arrowHeight+lineHeight*float64(len(lines)-1)+below, fmt.Sprintf("%s, %s to %s: %s", said, end(r, r.Side), end(r, r.Side.Peer()), label))
	const slope = 8.0
	y1, y2 := l.Y-below-arrowHeight+17, l.Y-below-arrowHeight+17+slope // the label stands above it
	left, right := l.endOf(r, event.Client), l.endOf(r, event.Server)
	if r.IsWithin() {
		l.within(r, style, lines)
		return
	}
	middle := (l.at(r.LaneOf(event.Client)) + l.at(r.LaneOf(event.Server))) / 2
	x1, x2, back := left+barWidth/2, right-barWidth/2-1, -headLength
	if r.Side == event.Server {
		x1, x2, back = right-barWidth/2, left+barWidth/2+1, headLength
	}
	if r.Lost {
		const part = 0.9 // of its way
		x2, y2 = x1+(x2-x1)*part, y1+(y2-y1)*part
	}
	l.stroke(style, x1, y1, x2, y2)
	if r.Lost {
		l.cross(style, x2, y2)
	} else {
		l.head(style, x2, y2, x2+back, y2-headHalf, x2+back, y2+headHalf)
	}
	if below > 0 {
		l.state(r, event.Client, l.Y-5)
		l.state(r, event.Server, l.Y-5)
	} else {
		l.state(r, r.Side, y1+4)
		l.state(r, r.Side.Peer(), y2+4)
	}
	for i, line := range lines {
		l.put(middle-l.length(line)/2, y1-3-lineHeight*float64(len(lines)-1-i), style, line)
	}
}

// wrappedLabel cuts a label into lines. A number stays with its name.
func (l *Lifelines) wrappedLabel(label string) []string {
	between := layout.Layout{Width: int(math.Round((l.gap-2*labelSpace)/l.unit)) + 2}
	for _, name := range []string{"seq", "ack", "len", "mss", "window"} {
		label = strings.ReplaceAll(label, name+" ", name+"\u00a0")
	}
	lines := between.Wrapped(figure.Left, label, "", "")
	for i := range lines {
		lines[i] = strings.ReplaceAll(lines[i], "\u00a0", " ")
	}
	return lines
}

// state draws the new state of one side, outside of the arrow. One that the kernel gave is
// marked.
func (l *Lifelines) state(r *figure.Row, side event.Side, y float64) {
	text, class := stateOf(r, side)
	if lane := r.LaneOf(side); side == event.Client && lane == figure.Middle {
		l.put(l.at(lane)-beside-l.length(text), y, class, text)
	} else {
		l.beside(lane, y, class, text)
	}
}

// stateOf returns the text of one side's new state, "" if it has none, and its class.
func stateOf(r *figure.Row, side event.Side) (text, class string) {
	switch state := r.States[side]; {
	case state == wire.Unknown:
		return "", ""
	case r.Asked[side]:
		return figure.HeldMark + state.String(), "state"
	default:
		return state.String(), "workedout"
	}
}
