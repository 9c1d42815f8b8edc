package picture

import (
	"bytes"
	"slices"

	"lbaws/trace/event"
	"lbaws/trace/figure"
	"lbaws/trace/figure/wording"
	"lbaws/trace/layout"
)

// Tape is what lifelines are to draw. How much room each lane takes, and how many lifelines it
// has, is only known when all of it is.
type Tape []cue

// cue is a row, or something to be done between two rows, or neither: then a call that the last
// row begins is drawn as one that the kernel has not answered yet.
type cue struct {
	row *figure.Row
	do  func(*Lifelines)
}

// Draw puts a row on the tape.
func (t *Tape) Draw(r *figure.Row) { *t = append(*t, cue{row: clone(r)}) }

// CutOff puts on the tape that a call that the last row begins is not answered yet.
func (t *Tape) CutOff() { *t = append(*t, cue{}) }

// Do puts on the tape what is to be done after the last row.
func (t *Tape) Do(do func(*Lifelines)) { *t = append(*t, cue{do: do}) }

// Play draws what is on the tape, in a picture that is at most width pixels wide, if it has no
// times and no lane in the middle. A character takes unit of them.
func (t Tape) Play(columns layout.Columns, width, unit float64) *Lifelines {
	return t.play(columns, width, unit, false)
}

// PlayBriefly draws it for large type. What rows with ! and long notes explain stands elsewhere.
func (t Tape) PlayBriefly(columns layout.Columns, width, unit float64) *Lifelines {
	return t.play(columns, width, unit, true)
}

func (t Tape) play(columns layout.Columns, width, unit float64, brief bool) *Lifelines {
	const longest, enough = 30, 64 // characters of a label, if so many are left for the lanes
	wide := t.measure(columns, unit, brief)
	lines := float64(wide.lanes[figure.Left].most+wide.lanes[figure.Right].most-2) * apart
	left := func(label int) int { return int((width - 2*Margin - 2*beside - gap(label, unit) - lines) / unit) }
	label := labelLength
	if left(longest) >= enough {
		label = max(label, min(wide.label, longest))
	}
	l := newLifelines(columns, unit, share(wide, left(label)))
	l.brief, l.gap = brief, gap(label, unit)
	t.drawLike(wide, l)
	return l
}

// PlayNarrow draws it as briefly in a picture that has little more room than a lane of texts
// takes: they stand between the lifelines, and the states below the arrows. It returns nil if
// there is a third lane.
func (t Tape) PlayNarrow(columns layout.Columns, width, unit float64) *Lifelines {
	const indented = 3 // characters at least, which show whose text it is
	wide := t.measure(columns, unit, true)
	if wide.three {
		return nil
	}
	lines := float64(wide.lanes[figure.Left].most+wide.lanes[figure.Right].most-2) * apart
	between := width - 2*Margin - barWidth - lines
	room := max(int((between-2*beside)/unit)-indented, 20)
	l := newLifelines(columns, unit, [3]int{room, room, room})
	l.narrow, l.brief, l.gap = true, true, between
	t.drawLike(wide, l)
	return l
}

// measure draws what is on the tape as if there were room for all of it.
func (t Tape) measure(columns layout.Columns, unit float64, brief bool) *Lifelines {
	const most = 64 // characters of a text
	wide := newLifelines(columns, unit, [3]int{most, most, most})
	wide.brief = brief
	t.draw(wide, func(func(*Lifelines)) {})
	return wide
}

// drawLike draws what is on the tape with as many lifelines as were needed.
func (t Tape) drawLike(wide, l *Lifelines) {
	for i := range l.lanes {
		l.lanes[i].most = wide.lanes[i].most
	}
	t.draw(l, func(do func(*Lifelines)) { do(l) })
}

// draw draws what is on the tape. called is given what is to be done between rows.
func (t Tape) draw(l *Lifelines, called func(func(*Lifelines))) {
	for _, c := range t {
		switch {
		case c.row != nil:
			l.draw(c.row)
		case c.do != nil:
			called(c.do)
		default:
			l.cutOff()
		}
	}
}

// share says how many characters the texts of each lane may have: as many as they need, if there
// is room for both sides. If not, a side that needs less than half of the room leaves the rest to
// the other.
func share(wide *Lifelines, room int) (of [3]int) {
	for i, lane := range wide.lanes {
		of[i] = max(lane.needs, lane.title)
	}
	of[figure.Middle] = min(of[figure.Middle], room/2)
	left, right := of[event.Client], of[event.Server]
	switch half := room / 2; {
	case left+right <= room:
	case left < half:
		of[event.Server] = room - left
	case right < half:
		of[event.Client] = room - right
	default:
		of[event.Client], of[event.Server] = half, half
	}
	for i, lane := range wide.lanes {
		of[i] = max(of[i], lane.title)
	}
	return of
}

// clone returns a copy of a row that stays good.
func clone(r *figure.Row) *figure.Row {
	c := *r
	c.Text, c.Rest, c.Parts = cloneText(&r.Text), cloneText(&r.Rest), slices.Clone(r.Parts)
	if r.Conversation != nil {
		conversation := *r.Conversation
		c.Conversation = &conversation
	}
	for i := range c.Parts {
		c.Parts[i].Text = bytes.Clone(c.Parts[i].Text)
	}
	return &c
}

func cloneText(t *wording.Text) wording.Text {
	return wording.Text{Before: bytes.Clone(t.Before), Buffer: bytes.Clone(t.Buffer), Quoted: t.Quoted, More: t.More, After: bytes.Clone(t.After), Tail: t.Tail}
}
