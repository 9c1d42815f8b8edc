package picture

import (
	_ "embed"
	"fmt"
	"math"
	"slices"

	"lbaws/trace/event"
	"lbaws/trace/figure"
	"lbaws/trace/layout"
)

// This file says where the lifelines are: in two lanes, or in three from the moment on at which
// a program is known to be a server and a client at once.

// lane is the lifelines of programs that are side by side, and the texts beside them.
type lane struct {
	layout.Layout            // of its texts
	lines         []lifeline // side by side; the first is always there
	most          int        // how many there are at once in the whole picture
	needs         int        // how many characters its longest text has
	title         int        // and its title
}

// lifeline is that of a program.
type lifeline struct {
	program int // ended if it has none
	busy    int // how many of its calls the kernel has not answered
}

// ended is the program of a lifeline that none has.
const ended = -1

// untraced is the program at the client's end of a connection, if no calls of clients are
// known: each connection is another program's, as far as its server can tell.
func untraced(conversation int) int { return ended - conversation }

// mostLines is how many lifelines a lane has: what is left then shares the last of them.
const mostLines = 5

// lineOf returns which lifeline a program has. A new one begins in the place of one that has
// ended.
func (n *lane) lineOf(program int) int {
	if i := n.find(program); i >= 0 {
		return i
	}
	if i := slices.IndexFunc(n.lines, func(l lifeline) bool { return l.program == ended && l.busy == 0 }); i >= 0 {
		n.lines[i].program = program
		return i
	}
	if len(n.lines) < mostLines {
		n.lines = append(n.lines, lifeline{program: program})
		n.most = max(n.most, len(n.lines))
	}
	return len(n.lines) - 1
}

// find returns which lifeline a program has, -1 if it has none.
func (n *lane) find(program int) int {
	return slices.IndexFunc(n.lines, func(l lifeline) bool { return l.program == program })
}

// dies ends the lifeline of a program.
func (n *lane) dies(program int) {
	if i := n.find(program); i >= 0 {
		n.lines[i].program = ended
	}
}

// isDrawn reports whether there is a lifeline in a place. The first one goes on when its program
// has ended: the kernel still sends, and its segments end there.
func (n *lane) isDrawn(i int) bool { return i == 0 || n.lines[i].program != ended }

// lives begins the lifeline of the program that makes a call.
func (l *Lifelines) lives(r *figure.Row) {
	switch r.Kind {
	case figure.BeginRow, figure.ReturnRow, figure.CallRow:
		l.called[r.Side] = true
		if l.lanes[r.Lane()].lineOf(r.Program); r.Lane() == figure.Middle {
			l.lanes[figure.Right].dies(r.Program) // it had its number there
		}
		if r.Conversation != nil {
			last := l.last[r.Conversation.Number]
			last[r.Side] = r.Program
			l.last[r.Conversation.Number] = last
		}
	case figure.ArrowRow:
		if r.Conversation != nil && !l.called[event.Client] && !r.Conversation.Over() {
			number := r.Conversation.Number
			l.lanes[figure.Left].lineOf(untraced(number))
			l.last[number] = [2]int{event.Client: untraced(number), event.Server: l.last[number][event.Server]}
		}
	}
}

// over ends the lifeline of a client whose calls are not known, if its connection is over.
func (l *Lifelines) over(r *figure.Row) {
	if r.Conversation != nil && r.Conversation.Over() {
		l.lanes[figure.Left].dies(untraced(r.Conversation.Number))
	}
}

// needs notes that a lane has a text of so many characters.
func (l *Lifelines) needs(lane figure.Lane, n int) { l.lanes[lane].needs = max(l.lanes[lane].needs, n) }

// The lines of a lane are apart from each other by this many pixels.
const apart = 11.0

// at is where a lane's first lifeline is.
func (l *Lifelines) at(lane figure.Lane) float64 {
	client := Margin + float64(l.clock.Column())*l.unit + l.width(figure.Left)
	if l.narrow {
		client = Margin + barWidth/2 + float64(l.lanes[figure.Left].most-1)*apart
	}
	switch {
	case lane == figure.Left:
		return client
	case lane == figure.Right && l.three:
		return client + l.gap + max(l.gap, l.width(figure.Middle)+beside)
	}
	return client + l.gap
}

// width is how much room a lane takes, with its texts.
func (l *Lifelines) width(lane figure.Lane) float64 {
	return float64(l.lanes[lane].Width)*l.unit + beside + float64(l.lanes[lane].most-1)*apart
}

// lineAt is where a lifeline of a lane is: the others are further outside than the first.
func (l *Lifelines) lineAt(lane figure.Lane, i int) float64 {
	if lane == figure.Left {
		return l.at(lane) - float64(i)*apart
	}
	return l.at(lane) + float64(i)*apart
}

// endOf is where one end of an arrow is: at the lifeline of the program that has made the last
// call on the connection, if it is there.
func (l *Lifelines) endOf(r *figure.Row, side event.Side) float64 {
	lane := r.LaneOf(side)
	if r.Conversation != nil {
		if i := l.lanes[lane].find(l.last[r.Conversation.Number][side]); i >= 0 {
			return l.lineAt(lane, i)
		}
	}
	return l.at(lane)
}

// nearest is the place next to a lane's lifelines, where its texts are.
func (l *Lifelines) nearest(lane figure.Lane) float64 {
	outermost := l.lineAt(lane, l.lanes[lane].most-1)
	switch {
	case l.narrow && lane == figure.Left:
		return l.at(lane) + beside
	case l.narrow:
		return l.at(lane) - beside
	case lane == figure.Left:
		return outermost - beside
	}
	return outermost + beside
}

// endsAtLine reports whether the texts of a lane end at its lifelines, and do not begin there.
func (l *Lifelines) endsAtLine(lane figure.Lane) bool { return (lane == figure.Left) != l.narrow }

// left is where the texts of a lane begin, if they are as long as they may be.
func (l *Lifelines) left(lane figure.Lane) float64 {
	if l.endsAtLine(lane) {
		return l.nearest(lane) - float64(l.lanes[lane].Width)*l.unit
	}
	return l.nearest(lane)
}

// Right is where the whole picture ends.
func (l *Lifelines) Right() float64 {
	right := l.left(figure.Right) + float64(l.lanes[figure.Right].Width)*l.unit
	if l.narrow {
		right = l.lineAt(figure.Right, l.lanes[figure.Right].most-1) + barWidth/2
	}
	return max(right, l.reach) + Margin
}

// shown are the lanes that there are.
func (l *Lifelines) shown() []figure.Lane {
	if l.three {
		return []figure.Lane{figure.Right, figure.Left, figure.Middle}
	}
	return []figure.Lane{figure.Right, figure.Left}
}

// bar draws a piece of the bar of a call that waits.
func (l *Lifelines) bar(lane figure.Lane, line int, top, bottom float64) {
	fmt.Fprintf(&l.Shapes, `<rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`+"\n",
		name(lane), l.lineAt(lane, line)-barWidth/2, top, barWidth, bottom-top)
}

// leader leads from the lifeline of a program to its call on the last row, where there are
// several.
func (l *Lifelines) leader(lane figure.Lane, program int) {
	if n := &l.lanes[lane]; n.most > 1 {
		from, to, y := l.lineAt(lane, n.lineOf(program)), l.nearest(lane), l.Y-9
		l.stroke("leader", from, y, to+(from-to)/max(1, math.Abs(from-to))*3, y)
	}
}

// name is the class of a lane's shapes.
func name(lane figure.Lane) string {
	if lane == figure.Middle {
		return "proxy"
	}
	return event.Side(lane).String()
}

//go:embed proxy.css
var proxyStyle string

// end says whose one end of an arrow is.
func end(r *figure.Row, side event.Side) string {
	if number := r.Proxies[side]; number > 0 {
		return fmt.Sprintf("proxy #%d", number)
	}
	return side.String()
}

// within draws the arrow of a segment between two programs of the lifeline in the middle: from
// the line back to it, with their numbers and states below its label.
func (l *Lifelines) within(r *figure.Row, style string, label []string) {
	const out, slope = 20.0, 10.0
	x, y := l.at(figure.Middle)+barWidth/2, l.Y-arrowHeight/2
	l.stroke(style, x, y, x+out, y)
	l.stroke(style, x+out, y, x+out, y+slope)
	l.stroke(style, x+out, y+slope, x+1, y+slope)
	l.head(style, x+1, y+slope, x+1+headLength, y+slope-headHalf, x+1+headLength, y+slope+headHalf)
	x += out + beside
	for i, line := range label {
		l.put(x, l.Y-5-lineHeight*float64(len(label)-i), style, line)
	}
	put := func(class, text string) {
		l.put(x, l.Y-5, class, text)
		x += l.length(text) + l.unit
	}
	for _, side := range []event.Side{r.Side, r.Side.Peer()} {
		if side != r.Side {
			put("note", "to")
		}
		put("note", fmt.Sprintf("#%d", r.Proxies[side]))
		if text, class := stateOf(r, side); text != "" {
			put(class, text)
		}
	}
}
