package picture

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"lbaws/trace/event"
	"lbaws/trace/figure"
	"lbaws/trace/layout"
	"lbaws/trace/wire"
)

// Lifelines draws rows as shapes of an SVG, time running down: a line for each end,
// with a bar on it for as long as the kernel has not answered a call; outside of them
// the calls and the states, between them the segments. Each row has its own piece of
// the lines, so that the part of a picture down to any row is a picture too. From the row on
// that names a program that is a server and a client at once, there is a line for such
// programs between the two, with their calls on its right.
type Lifelines struct {
	layout.Layout // of the texts of one side
	shapes
	gap   float64      // between the lines
	clock layout.Clock // writes the times
	both  bool         // whether a call waits for its turn, too, before it returns

	Y    float64 // below the last row
	time string  // of the row in hand, until it is drawn
	busy [3]int  // how many calls of each lane the kernel has not answered

	open   *begun  // the call that the last row begins, or nil
	opened []begun // calls that have begun, and have not returned
	legend []string

	folded     figure.Lane // whose calls are on the last row
	foldColumn int         // where the next of them is to stand; 0 if it needs a row of its own
}

// begun is a call that has begun.
type begun struct {
	call, program int
	side          event.Side
	lane          figure.Lane
	others        bool    // whether it is another program's
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
	labelLength = 28 // how many characters of it stand on a line
)

// NewLifelines returns lifelines of a width in pixels, where a character takes unit of
// them. Times take more.
func NewLifelines(columns layout.Columns, width, unit float64) *Lifelines {
	l := &Lifelines{shapes: shapes{unit: unit}, gap: labelLength*unit + 2*labelSpace, clock: layout.Clock{Times: columns.Times}, both: columns.Both}
	l.Layout = layout.Layout{Width: int((width - 2*Margin - 2*beside - l.gap) / 2 / unit), Limit: columns.Limit}
	return l
}

// Draw draws a row.
func (l *Lifelines) Draw(r *figure.Row) {
	isRest := l.open != nil && r.Kind == figure.ReturnRow && r.Call == l.open.call
	if isRest && (l.clock.Times == layout.NoTimes || r.Remark == "") {
		if whole, fits := l.Join(bytes.Clone(l.open.text), layout.Characters(l.open.text), r); fits {
			l.open = nil
			l.call(r, string(whole))
			return
		}
	}
	if isRest && r.Remark == "" { // it has not waited: there is only no room for all of it
		l.begins()
	} else {
		l.CutOff()
	}
	l.time = string(l.clock.Read(r))
	if r.Kind != figure.CallRow && !r.General {
		l.foldColumn = 0
	}
	switch r.Kind {
	case figure.HeadRow:
		l.titles(string(r.Text.Before))
	case figure.BeginRow:
		l.open = &begun{call: r.Call, program: r.Program, side: r.Side, lane: r.Lane(), others: r.Others}
		l.open.text, _ = l.Fit(nil, figure.Left, &r.Text, 1)
	case figure.ReturnRow:
		l.returned(r)
	case figure.CallRow:
		if !l.fold(r) {
			text, _ := l.Shorten(nil, &r.Text, l.Width)
			l.call(r, string(text))
		}
	case figure.NoteRow:
		l.note(r)
	case figure.PartsRow:
		l.parts(r)
	case figure.ArrowRow:
		l.arrow(r)
	case figure.SocketRow:
		l.held(r)
	case figure.RuleRow:
		l.line(arrowHeight, string(r.Text.Before))
		l.stroke("rule", Margin, l.Y-rowHeight, l.Right()-Margin, l.Y-rowHeight)
		l.put(l.left(figure.Left), l.Y-5, "note", string(r.Text.Before))
	}
}

// begins draws the beginning of the call that is open.
func (l *Lifelines) begins() *begun {
	call := l.open
	l.open = nil
	text := strings.TrimSuffix(string(call.text), "…") + "…"
	l.line(rowHeight, call.side.String()+": "+text)
	l.beside(call.lane, l.Y-5, "call", text)
	return call
}

// CutOff draws the beginning of a call that the kernel has not answered yet, with room
// to say that it blocks.
func (l *Lifelines) CutOff() {
	if l.open == nil {
		return
	}
	call := l.begins()
	l.bar(call.lane, l.Y-rowHeight/2, l.Y)
	l.busy[call.lane]++
	l.line(rowHeight, "")
	if call.y = l.Y - 5; l.both && !call.others { // it would have returned before any other row
		l.beside(call.lane, call.y, "blocks", "(blocks)")
	}
	l.opened = append(l.opened, *call)
}

// returned draws the return of a call that is drawn in two.
func (l *Lifelines) returned(r *figure.Row) {
	text, _ := l.Shorten(nil, &r.Text, l.Width)
	name, result, _ := strings.Cut(string(text), " = ")
	program, _, _ := strings.Cut(name, "… ")
	lines := []string{program + "returns " + result}
	began := figure.Lane(-1)
	if n, peer, has := strings.Cut(lines[0], ", peer "); has && utf8.RuneCountInString(lines[0]) > l.Width {
		lines = []string{n, "peer " + peer}
	}
	if i := slices.IndexFunc(l.opened, func(b begun) bool { return b.call == r.Call }); i >= 0 {
		if r.Blocked { // it was not only another thread's row that came in between
			l.beside(l.opened[i].lane, l.opened[i].y, "blocks", "(blocks)")
		}
		began = l.opened[i].lane // the program may have another one since then
		l.opened = slices.Delete(l.opened, i, i+1)
		l.busy[began]--
	}
	l.line(rowHeight, r.Side.String()+": "+string(text)+" "+r.Remark)
	if began >= 0 {
		l.bar(began, l.Y-rowHeight, l.Y-rowHeight/2)
	}
	for i, line := range lines {
		if i > 0 {
			l.line(rowHeight, "")
		}
		cut, _ := layout.AppendCut(nil, []byte(line), l.Width)
		l.beside(r.Lane(), l.Y-5, class(r, "call"), string(cut))
	}
	l.remark(r, "blocks")
}

// fold puts the name of a call that only makes a socket ready on the row of those
// before it, and reports whether it has done so.
func (l *Lifelines) fold(r *figure.Row) bool {
	said := string(r.Text.Append(nil, 0))
	start := strings.Index(said, r.Name+"(")
	if r.Failed || start < 0 || !slices.Contains([]string{"socket", "setsockopt", "bind", "listen", "getsockname"}, r.Name) {
		l.foldColumn = 0
		return false
	}
	text := said[:start] + r.Name // with the number of its program, if that is not the first
	if _, result, _ := strings.Cut(said, " = "); r.Name == "socket" {
		text += " = " + result
	}
	goesOn := l.foldColumn > 0 && l.folded == r.Lane() && start == 0 && l.clock.Times == layout.NoTimes
	if goesOn && l.foldColumn+len(", ")+len(text) <= l.Width {
		text = ", " + text
		l.Said.WriteString(r.Side.String() + ": " + said + "\n")
	} else {
		l.line(rowHeight, r.Side.String()+": "+said)
		l.foldColumn = 0
	}
	x := l.left(r.Lane()) + float64(l.foldColumn)*l.unit
	if r.Lane() == figure.Left { // its texts end at the line: none goes on
		x = l.at(figure.Left) - beside - float64(len(text))*l.unit
	}
	l.put(x, l.Y-5, "call", text)
	l.remark(r, "state")
	if l.folded, l.foldColumn = r.Lane(), l.foldColumn+len(text); r.Remark != "" || r.Lane() == figure.Left {
		l.foldColumn = 0
	}
	return true
}

// line makes room for a row with its piece of the lifelines.
func (l *Lifelines) line(height float64, said string) {
	top := l.Y
	l.Y += height
	for _, lane := range l.lanes() {
		l.stroke(name(lane), l.at(lane), top, l.at(lane), l.Y)
		if l.busy[lane] > 0 {
			l.bar(lane, top, l.Y)
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

// bar draws a piece of the bar of a call that waits.
func (l *Lifelines) bar(lane figure.Lane, top, bottom float64) {
	fmt.Fprintf(&l.Shapes, `<rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`+"\n",
		name(lane), l.at(lane)-barWidth/2, top, barWidth, bottom-top)
}

// beside draws a text beside a lane's lifeline: on the left of the client's, on the right of
// the others.
func (l *Lifelines) beside(lane figure.Lane, y float64, class, text string) {
	text = strings.Replace(text, `""...`, "…", 1) // there is room for none of the bytes
	x := l.at(lane) + beside
	if lane == figure.Left {
		x = l.at(lane) - beside - l.length(text)
	}
	l.put(x, y, class, text)
}

// class is the class of a row's shapes, with "error" where something has gone
// wrong.
func class(r *figure.Row, name string) string {
	if r.Failed || r.Warning {
		return name + " error"
	}
	return name
}

// titles names the lifelines: also that of a program that is a server and a client at once, if
// there is one.
func (l *Lifelines) titles(proxy string) {
	l.Y += rowHeight + Margin/2
	if l.three(proxy); l.Three {
		l.Said.WriteString("client, " + proxy + " and server, time running down\n")
	} else {
		l.Said.WriteString("client and server, time running down\n")
	}
	for _, lane := range l.lanes() {
		title := strings.ToUpper(name(lane))
		if lane == figure.Middle {
			title = proxy
		}
		l.beside(lane, l.Y-7, name(lane), title)
	}
	if l.time != "" {
		l.put(Margin, l.Y-7, "note", l.time)
		l.time = ""
	}
}

// call draws a call that is drawn in one, and a remark below it. If it is too long, what
// it returned stands on the next line.
func (l *Lifelines) call(r *figure.Row, text string) {
	said := r.Side.String() + ": " + text + " " + r.Remark
	lines := []string{text}
	if name, result, _ := strings.Cut(text, ") = "); utf8.RuneCountInString(text) > l.Width {
		lines = []string{name + ")", "= " + result}
	}
	for _, line := range lines {
		l.line(rowHeight, said)
		line, _ := layout.AppendCut(nil, []byte(line), l.Width)
		l.beside(r.Lane(), l.Y-5, class(r, "call"), string(line))
		said = ""
	}
	l.remark(r, "state")
}

// remark draws the remark of a row below it, if it has one.
func (l *Lifelines) remark(r *figure.Row, class string) {
	if r.Remark != "" {
		l.line(rowHeight, "")
		l.beside(r.Lane(), l.Y-5, class, r.Remark)
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
	if r.Kills { // its calls that wait do not return
		l.opened = slices.DeleteFunc(l.opened, func(b begun) bool {
			isOwn := b.lane == r.Lane() || b.lane == figure.Right && r.Lane() == figure.Middle // it had its number there
			ends := isOwn && b.program == r.Program
			if ends {
				l.busy[b.lane]--
			}
			return ends
		})
	}
	for _, line := range l.Wrapped(figure.Left, string(r.Text.Before), "# ", "# ") {
		l.line(rowHeight, line)
		l.put(l.left(r.Lane()), l.Y-5, class(r, "note"), line)
	}
}

// held draws a change in what the kernel holds.
func (l *Lifelines) held(r *figure.Row) {
	for _, line := range l.Wrapped(figure.Left, string(r.Text.Before), figure.HeldMark+" ", "  ") {
		l.line(rowHeight, r.Side.String()+"'s kernel: "+line)
		l.beside(r.Lane(), l.Y-5, "held", line)
	}
}

// parts draws each part above its name.
func (l *Lifelines) parts(r *figure.Row) {
	_, parts := l.Place(figure.Left, r.Parts)
	said := ""
	for _, p := range r.Parts {
		said += p.Name + " " + layout.SaidPart(p.Text) + "; "
	}
	l.line(rowHeight, said)
	l.line(rowHeight, "")
	x := func(column int) float64 { return l.left(r.Lane()) + float64(column)*l.unit }
	for _, p := range parts {
		l.put(x(p.Column), l.Y-rowHeight-5, "part", string(p.Text))
		l.put(x(p.Column), l.Y-5, "note", p.Name)
	}
	l.stroke("bar", x(1), l.Y-2*rowHeight, x(1), l.Y)
}

// arrow draws a segment from line to line, down a little: it takes time.
func (l *Lifelines) arrow(r *figure.Row) {
	style, said := class(r, "seen"), "segment"
	if r.Implied {
		style, said = class(r, "implied"), "implied"
	}
	label := string(r.Text.Before)
	if r.Mss > 0 { // as in UNP figure 2.5
		label += fmt.Sprintf(", mss\u00a0%d", r.Mss) // on the same line
	}
	between := layout.Layout{Width: labelLength + 2}
	lines := between.Wrapped(figure.Left, label, "", "")
	l.line(arrowHeight+lineHeight*float64(len(lines)-1), fmt.Sprintf("%s, %s to %s: %s", said, end(r, r.Side), end(r, r.Side.Peer()), label))
	const slope = 8.0
	y1, y2 := l.Y-arrowHeight+17, l.Y-arrowHeight+17+slope // the label stands above it
	left, right := l.at(r.LaneOf(event.Client)), l.at(r.LaneOf(event.Server))
	if r.IsWithin() {
		l.within(r, style, lines)
		return
	}
	x1, x2, back := left+barWidth/2, right-barWidth/2-1, -headLength
	if r.Side == event.Server {
		x1, x2, back = right-barWidth/2, left+barWidth/2+1, headLength
	}
	l.stroke(style, x1, y1, x2, y2)
	l.head(style, x2, y2, x2+back, y2-headHalf, x2+back, y2+headHalf)
	l.state(r, r.Side, y1+4)
	l.state(r, r.Side.Peer(), y2+4)
	for i, line := range lines {
		l.put(left+(right-left-l.length(line))/2, y1-3-lineHeight*float64(len(lines)-1-i), style, line)
	}
}

// state draws the new state of one side, outside of the arrow. One that the kernel gave is
// marked.
func (l *Lifelines) state(r *figure.Row, side event.Side, y float64) {
	text, class := stateOf(r, side)
	x := l.at(r.LaneOf(side)) + beside
	if side == event.Client {
		x = l.at(r.LaneOf(side)) - beside - l.length(text)
	}
	l.put(x, y, class, text)
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
