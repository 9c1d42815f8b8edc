package trace

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"lbaws/trace/wire"
)

// lifelines draws rows as shapes of an SVG, time running down: a line for each end,
// with a bar on it for as long as the kernel has not answered a call; outside of them
// the calls and the states, between them the segments. Each row has its own piece of
// both lines, so that the part of a picture down to any row is a picture too.
type lifelines struct {
	layout // of the texts of one side
	unit   float64
	gap    float64 // between the lines
	clock  clock   // writes the times
	both   bool    // whether a call waits for its turn, too, before it returns

	shapes strings.Builder
	said   strings.Builder // the same for a screen reader
	y      float64         // below the last row
	time   string          // of the row in hand, until it is drawn
	busy   [2]int          // how many calls of each side the kernel has not answered

	open   *row    // the call that the last row begins, or nil
	begun  []byte  // what is there of it
	opened []begun // calls that have begun, and have not returned
	legend []string

	folded     Side // whose calls are on the last row
	foldColumn int  // where the next of them is to stand; 0 if it needs a row of its own
}

// begun is a call that has begun, and where there is room to say that it blocks.
type begun struct {
	call, program int
	side          Side
	y             float64
}

// Sizes in pixels.
const (
	rowHeight   = 19.0
	arrowHeight = 32.0
	margin      = 14.0
	beside      = 10.0 // between a line and the texts beside it
	barWidth    = 7.0
	labelSpace  = 6.0 // beside an arrow's label, for half of a bar
)

// labelLength is how many characters of an arrow's label stand on a line.
const labelLength = 28

// newLifelines returns lifelines of a width in pixels, where a character takes unit of
// them. Times take more.
func newLifelines(columns Columns, width, unit float64) *lifelines {
	l := &lifelines{unit: unit, gap: labelLength*unit + 2*labelSpace, clock: clock{times: columns.Times}, both: columns.Both}
	l.layout = layout{width: int((width - 2*margin - 2*beside - l.gap) / 2 / unit), limit: columns.Limit}
	return l
}

// at is where a side's lifeline is.
func (l *lifelines) at(side Side) float64 {
	client := margin + float64(l.clock.column()+l.width)*l.unit + beside
	if side == Client {
		return client
	}
	return client + l.gap
}

// left is where the texts of a side begin, if they are as long as they may be.
func (l *lifelines) left(side Side) float64 {
	if side == Client {
		return l.at(Client) - beside - float64(l.width)*l.unit
	}
	return l.at(Server) + beside
}

// right is where the whole picture ends.
func (l *lifelines) right() float64 { return l.left(Server) + float64(l.width)*l.unit + margin }

// draw draws a row.
func (l *lifelines) draw(r *row) {
	isRest := l.open != nil && r.kind == returnRow && r.call == l.open.call
	if isRest && (l.clock.times == NoTimes || r.remark == "") {
		if whole, fits := l.join(bytes.Clone(l.begun), characters(l.begun), r); fits {
			l.open = nil
			l.call(r, string(whole))
			return
		}
	}
	if isRest && r.remark == "" { // it has not waited: there is only no room for all of it
		l.begins()
	} else {
		l.cutOff()
	}
	l.time = string(l.clock.read(r))
	if r.kind != callRow && !r.general {
		l.foldColumn = 0
	}
	switch r.kind {
	case headRow:
		l.head()
	case beginRow:
		l.open = &row{facts: facts{kind: beginRow, side: r.side, call: r.call, program: r.program}}
		l.begun, _ = l.fit(l.begun[:0], Client, &r.text, 1)
	case returnRow:
		l.returned(r)
	case callRow:
		if !l.fold(r) {
			text, _ := l.shorten(nil, &r.text, l.width)
			l.call(r, string(text))
		}
	case noteRow:
		l.note(r)
	case partsRow:
		l.parts(r)
	case arrowRow:
		l.arrow(r)
	case socketRow:
		l.held(r)
	case ruleRow:
		l.rule(string(r.text.before))
	}
}

// begins draws the beginning of the call that is open.
func (l *lifelines) begins() *row {
	r := l.open
	l.open = nil
	text := strings.TrimSuffix(string(l.begun), "…") + "…"
	l.line(rowHeight, r.side.String()+": "+text)
	l.beside(r.side, l.y-5, "call", text)
	return r
}

// cutOff draws the beginning of a call that the kernel has not answered yet, with room
// to say that it blocks.
func (l *lifelines) cutOff() {
	if l.open == nil {
		return
	}
	r := l.begins()
	l.bar(r.side, l.y-rowHeight/2, l.y)
	l.busy[r.side]++
	l.line(rowHeight, "")
	if l.both { // it would have returned before any other row
		l.beside(r.side, l.y-5, "blocks", "(blocks)")
	}
	l.opened = append(l.opened, begun{r.call, r.program, r.side, l.y - 5})
}

// returned draws the return of a call that is drawn in two.
func (l *lifelines) returned(r *row) {
	text, _ := l.shorten(nil, &r.text, l.width)
	name, result, _ := strings.Cut(string(text), " = ")
	program, _, _ := strings.Cut(name, "… ")
	lines := []string{program + "returns " + result}
	waited := false
	if n, peer, has := strings.Cut(lines[0], ", peer "); has && utf8.RuneCountInString(lines[0]) > l.width {
		lines = []string{n, "peer " + peer}
	}
	if i := slices.IndexFunc(l.opened, func(b begun) bool { return b.call == r.call }); i >= 0 {
		if !l.both && r.remark != "" { // it was not only another thread's row that came in between
			l.beside(r.side, l.opened[i].y, "blocks", "(blocks)")
		}
		l.opened = slices.Delete(l.opened, i, i+1)
		l.busy[r.side]--
		waited = true
	}
	l.line(rowHeight, r.side.String()+": "+string(text)+" "+r.remark)
	if waited {
		l.bar(r.side, l.y-rowHeight, l.y-rowHeight/2)
	}
	for i, line := range lines {
		if i > 0 {
			l.line(rowHeight, "")
		}
		cut, _ := appendCut(nil, []byte(line), l.width)
		l.beside(r.side, l.y-5, class(r, "call"), string(cut))
	}
	l.remark(r, "blocks")
}

// fold puts the name of a call that only makes a socket ready on the row of those
// before it, and reports whether it has done so.
func (l *lifelines) fold(r *row) bool {
	said := string(r.text.append(nil, 0))
	start := strings.Index(said, r.name+"(")
	if r.failed || start < 0 || !slices.Contains([]string{"socket", "setsockopt", "bind", "listen", "getsockname"}, r.name) {
		l.foldColumn = 0
		return false
	}
	text := said[:start] + r.name // with the number of its program, if that is not the first
	if _, result, _ := strings.Cut(said, " = "); r.name == "socket" {
		text += " = " + result
	}
	goesOn := l.foldColumn > 0 && l.folded == r.side && start == 0 && l.clock.times == NoTimes
	if goesOn && l.foldColumn+len(", ")+len(text) <= l.width {
		text = ", " + text
		l.said.WriteString(r.side.String() + ": " + said + "\n")
	} else {
		l.line(rowHeight, r.side.String()+": "+said)
		l.foldColumn = 0
	}
	x := l.left(Server) + float64(l.foldColumn)*l.unit
	if r.side == Client { // its texts end at the line: none goes on
		x = l.at(Client) - beside - float64(len(text))*l.unit
	}
	l.put(x, l.y-5, "call", text)
	l.remark(r, "state")
	if l.folded, l.foldColumn = r.side, l.foldColumn+len(text); r.remark != "" || r.side == Client {
		l.foldColumn = 0
	}
	return true
}

// line makes room for a row with its piece of the lifelines.
func (l *lifelines) line(height float64, said string) {
	top := l.y
	l.y += height
	for side, busy := range l.busy {
		fmt.Fprintf(&l.shapes, `<line class="%s" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`+"\n",
			Side(side), l.at(Side(side)), top, l.at(Side(side)), l.y)
		if busy > 0 {
			l.bar(Side(side), top, l.y)
		}
	}
	if l.time != "" {
		said = l.time + ": " + said
		n := float64(l.clock.column()-1-len(l.time)) * l.unit
		l.put(margin+n, l.y-5, "call", l.time)
		l.time = ""
	}
	if said != "" {
		l.said.WriteString(said + "\n")
	}
}

// bar draws a piece of the bar of a call that waits.
func (l *lifelines) bar(side Side, top, bottom float64) {
	fmt.Fprintf(&l.shapes, `<rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`+"\n",
		side.String(), l.at(side)-barWidth/2, top, barWidth, bottom-top)
}

// put draws a text that begins at x and stands on y. Its length is given too, so that
// it fits whatever font there is.
func (l *lifelines) put(x, y float64, class, text string) {
	if n := utf8.RuneCountInString(text); n > 0 {
		fmt.Fprintf(&l.shapes, `<text class="%s" x="%.1f" y="%.1f" textLength="%.1f" lengthAdjust="spacingAndGlyphs">%s</text>`+"\n",
			class, x, y, float64(n)*l.unit, escaped(text))
	}
}

// beside draws a text outside of a side's lifeline, and returns where it ends.
func (l *lifelines) beside(side Side, y float64, class, text string) (end float64) {
	x := l.at(Server) + beside
	text = strings.Replace(text, `""...`, "…", 1) // there is room for none of the bytes
	length := float64(utf8.RuneCountInString(text)) * l.unit
	if side == Client {
		x = l.at(Client) - beside - length
	}
	l.put(x, y, class, text)
	return x + length
}

// class is the class of a row's shapes, with "error" where something has gone
// wrong.
func class(r *row, name string) string {
	if r.failed || r.warning {
		return name + " error"
	}
	return name
}

func (l *lifelines) head() {
	l.y += rowHeight + margin/2
	l.said.WriteString("client and server, time running down\n")
	for _, side := range []Side{Server, Client} {
		l.beside(side, l.y-7, side.String(), strings.ToUpper(side.String()))
	}
	if l.time != "" {
		l.put(margin, l.y-7, "note", l.time)
		l.time = ""
	}
}

// call draws a call that is drawn in one, and a remark below it. If it is too long, what
// it returned stands on the next line.
func (l *lifelines) call(r *row, text string) {
	said := r.side.String() + ": " + text + " " + r.remark
	lines := []string{text}
	if name, result, _ := strings.Cut(text, ") = "); utf8.RuneCountInString(text) > l.width {
		lines = []string{name + ")", "= " + result}
	}
	for _, line := range lines {
		l.line(rowHeight, said)
		line, _ := appendCut(nil, []byte(line), l.width)
		l.beside(r.side, l.y-5, class(r, "call"), string(line))
		said = ""
	}
	l.remark(r, "state")
}

// remark draws the remark of a row below it, if it has one.
func (l *lifelines) remark(r *row, class string) {
	if r.remark != "" {
		l.line(rowHeight, "")
		l.beside(r.side, l.y-5, class, r.remark)
	}
}

// note draws a note, if it says more than what such a call does anywhere. What marks
// mean is kept for the end.
func (l *lifelines) note(r *row) {
	if r.legend {
		l.legend = append(l.legend, string(r.text.before))
	}
	if r.general || r.legend {
		return
	}
	if r.kills { // its calls that wait do not return
		l.opened = slices.DeleteFunc(l.opened, func(b begun) bool {
			ends := b.side == r.side && b.program == r.program
			if ends {
				l.busy[b.side]--
			}
			return ends
		})
	}
	for _, line := range l.wrapped(Client, string(r.text.before)) {
		l.line(rowHeight, "# "+line)
		l.put(l.left(r.side), l.y-5, class(r, "note"), "# "+line)
	}
}

// held draws a change in what the kernel holds.
func (l *lifelines) held(r *row) {
	for i, line := range l.wrapped(Client, string(r.text.before)) {
		line = [2]string{heldMark + " ", "  "}[min(i, 1)] + line
		l.line(rowHeight, r.side.String()+"'s kernel: "+line)
		l.beside(r.side, l.y-5, "held", line)
	}
}

// parts draws each part above its name.
func (l *lifelines) parts(r *row) {
	_, parts := l.place(Client, r.parts)
	said := ""
	for _, p := range r.parts {
		said += p.Name + " " + saidPart(p.Text) + "; "
	}
	l.line(rowHeight, said)
	l.line(rowHeight, "")
	x := func(column int) float64 { return l.left(r.side) + float64(column)*l.unit }
	for _, p := range parts {
		l.put(x(p.column), l.y-rowHeight-5, "part", string(p.text))
		l.put(x(p.column), l.y-5, "note", p.name)
	}
	fmt.Fprintf(&l.shapes, `<line class="bar" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`+"\n", x(1), l.y-2*rowHeight, x(1), l.y)
}

// arrow draws a segment from line to line, down a little: it takes time.
func (l *lifelines) arrow(r *row) {
	style, said := class(r, "seen"), "segment"
	if r.implied {
		style, said = class(r, "implied"), "implied"
	}
	label := string(r.text.before)
	if r.mss > 0 { // as in UNP figure 2.5
		label += fmt.Sprintf(", mss\u00a0%d", r.mss) // on the same line
	}
	lines := l.wrapLabel(label)
	const lineHeight = 15
	l.line(arrowHeight+lineHeight*float64(len(lines)-1), fmt.Sprintf("%s, %s to %s: %s", said, r.side, r.side.Peer(), label))
	const slope, head, half = 8.0, 9.0, 4.5
	y1, y2 := l.y-arrowHeight+17, l.y-arrowHeight+17+slope // the label stands above it
	x1, x2, back := l.at(Client)+barWidth/2, l.at(Server)-barWidth/2-1, -head
	if r.side == Server {
		x1, x2, back = l.at(Server)-barWidth/2, l.at(Client)+barWidth/2+1, head
	}
	fmt.Fprintf(&l.shapes, `<line class="%s" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`+"\n", style, x1, y1, x2, y2)
	fmt.Fprintf(&l.shapes, `<polygon class="%s" points="%.1f,%.1f %.1f,%.1f %.1f,%.1f"/>`+"\n",
		style, x2, y2, x2+back, y2-half, x2+back, y2+half)
	l.state(r, r.side, y1+4)
	l.state(r, r.side.Peer(), y2+4)
	for i, line := range lines {
		n := float64(utf8.RuneCountInString(line))
		l.put(l.at(Client)+(l.gap-n*l.unit)/2, y1-3-lineHeight*float64(len(lines)-1-i), style, line)
	}
}

// wrapLabel cuts an arrow's label into lines that fit between the lifelines.
func (l *lifelines) wrapLabel(label string) []string {
	between := layout{width: labelLength + len("# ")}
	return between.wrapped(Client, label)
}

// state draws the new state of one side. One that the kernel gave is marked.
func (l *lifelines) state(r *row, side Side, y float64) {
	switch state := r.states[side]; {
	case state == wire.Unknown:
	case r.asked[side]:
		l.beside(side, y, "state", heldMark+state.String())
	default:
		l.beside(side, y, "workedout", state.String())
	}
}

func (l *lifelines) rule(text string) {
	l.line(arrowHeight, text)
	fmt.Fprintf(&l.shapes, `<line class="rule" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`+"\n",
		margin, l.y-rowHeight, l.right()-margin, l.y-rowHeight)
	l.put(l.left(Client), l.y-5, "note", text)
}
