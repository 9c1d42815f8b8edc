package picture

import (
	_ "embed"
	"fmt"

	"lbaws/trace/event"
	"lbaws/trace/figure"
)

// This file says where the lifelines are: two, or three from the moment on at which a program
// is known to be a server and a client at once.

// at is where a lane's lifeline is.
func (l *Lifelines) at(lane figure.Lane) float64 {
	client := Margin + float64(l.clock.Column()+l.Width)*l.unit + beside
	switch {
	case lane == figure.Left:
		return client
	case lane == figure.Right && l.Three:
		return client + l.gap + max(l.gap, float64(l.Width)*l.unit+2*beside)
	}
	return client + l.gap
}

// left is where the texts of a lane begin, if they are as long as they may be.
func (l *Lifelines) left(lane figure.Lane) float64 {
	if lane == figure.Left {
		return l.at(figure.Left) - beside - float64(l.Width)*l.unit
	}
	return l.at(lane) + beside
}

// Right is where the whole picture ends.
func (l *Lifelines) Right() float64 { return l.left(figure.Right) + float64(l.Width)*l.unit + Margin }

// lanes are those that have a lifeline.
func (l *Lifelines) lanes() []figure.Lane {
	if l.Three {
		return []figure.Lane{figure.Right, figure.Left, figure.Middle}
	}
	return []figure.Lane{figure.Right, figure.Left}
}

// name is the class of a lane's shapes.
func name(lane figure.Lane) string {
	if lane == figure.Middle {
		return "proxy"
	}
	return event.Side(lane).String()
}

// three begins a lifeline in the middle, with colours of its own, if it has a title.
func (l *Lifelines) three(title string) {
	if l.Three = title != ""; l.Three {
		l.Shapes.WriteString("<style>\n" + proxyStyle + "</style>\n")
	}
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
