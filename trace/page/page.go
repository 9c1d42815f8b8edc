// Package page shows a run as a page to step through, forwards and backwards.
package page

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/trace/event"
	"lbaws/trace/figure"
	"lbaws/trace/jsonl"
	"lbaws/trace/layout"
	"lbaws/trace/order"
	"lbaws/trace/picture"
	"lbaws/trace/sockets"
	"lbaws/trace/wire"
)

// Page shows the run as a page to step through, which is written when the program
// leaves: a step for each call that begins or returns, with the line of the source
// that makes it, the diagram down to it, and what the kernel holds then. It is one file that
// refers to nothing outside. Whatever a peer sent is in it as text.
type Page struct {
	order   order.Order
	figure  figure.Figure
	diagram *diagram
	json    jsonl.Writer // writes the events, as the json format has them
	run     pageRun
	sources sources
	start   time.Time // of the first step

	step   pageStep // the one in hand
	begun  bool     // whether there is one
	call   int      // the number of its call
	asks   questions
	note   string   // what is to be said of that
	notes  []string // what else the diagram says in the step that a caption should say, too
	alone  bool     // whether nothing else has happened since it began
	passed int      // how many bytes of events come before the segments that it ends with; -1 if it does not
	before int      // then: how many notes do
	events []byte   // its objects
	others int      // how many objects the page has that are no calls
	full   bool     // whether the page has all that it may have
}

// pageRun is the whole run, as the page's script has it.
type pageRun struct {
	Title   string        `json:"title"`
	Sources []*sourceFile `json:"sources"`
	Steps   []pageStep    `json:"steps"`
	Cut     bool          `json:"cut"`     // whether the run went on after the last step
	Left    int           `json:"left"`    // then: how many calls returned
	Earlier int           `json:"earlier"` // how many sockets of earlier connections are not shown
	Missing []string      `json:"missing"` // what is not shown, and why
}

// pageStep is a step. Its objects are those of the json format.
type pageStep struct {
	Line     int             `json:"line"` // that makes the call; 0 if it is not known
	File     int             `json:"file"` // then: which of the sources has it
	Side     string          `json:"side"`
	Name     string          `json:"name"` // of the program: its side, with a number if it is not the first
	At       string          `json:"at"`   // in seconds since the first step; "" if a recording has no times
	Means    string          `json:"means"`
	Held     []heldRow       `json:"held"`               // the rows on what the kernel holds
	Parts    [][2]string     `json:"parts"`              // of a message: their names and texts
	Bottoms  [3]int          `json:"bottoms"`            // where the diagram ends, the large one, and the narrow one, in pixels
	Question *question       `json:"question,omitempty"` // what is asked of the call that begins; nil if nothing is
	Events   json.RawMessage `json:"events"`
}

type heldRow struct {
	Side string `json:"side"`
	Text string `json:"text"`
}

// A server may run for long, and much may happen while it waits in one call.
const (
	mostSteps  = 1000
	mostOthers = 10000 // segments, and changes in sockets
)

// New returns a Page with a title. source returns the text of a file that an event names, at
// the end of the run; it may be nil.
func New(columns layout.Columns, title string, source func(file string) (string, error)) *Page {
	const least, most = 256, 4096
	columns.All = true // a call is a step
	p := &Page{
		figure: figure.New(columns.About), json: jsonl.Writer{Limit: min(max(columns.Limit, least), most)},
		run:     pageRun{Title: title, Steps: []pageStep{}, Missing: []string{}},
		sources: sources{read: source}, passed: -1,
		diagram: newDiagram(columns),
	}
	return p
}

// DrawsFigures says that the page has figures.
func (*Page) DrawsFigures() {}

// Append takes a moment. At the end, it appends the page.
func (p *Page) Append(b []byte, m *event.Moment) []byte {
	moments := p.order.Take(m)
	for i := range moments {
		if p.figure.Wants(&moments[i]) {
			p.take(&moments[i])
		} else {
			p.figure.Take(&moments[i])
		}
	}
	if m.What == event.Ended {
		return p.appendTo(b)
	}
	return b
}

// take takes a moment whose turn has come.
func (p *Page) take(m *event.Moment) {
	p.misses(m)
	switch {
	case p.full:
	case m.What == event.Changed && p.isEarlier(m.Change, m.Side), m.What == event.Noted && !p.begun:
		return
	default:
		p.see(m)
	}
	switch {
	case !p.full:
		news := m.What == event.Changed && p.isNews(m.Change, m.Side)
		p.draw(p.figure.Take(m), news)
	case m.What == event.Returned:
		p.run.Left++
	}
}

// isNews reports whether a socket has come to another state than the one that the
// diagram has for it: no segment shows it, since it is still held somewhere, or since
// there was none.
func (p *Page) isNews(c *sockets.Change, side event.Side) bool {
	is, was := c.State, wire.Closed
	if c.Gone {
		is = wire.Closed
	}
	if c.Was != nil {
		was = c.Was.State
	}
	drawn := wire.Closed
	if known := p.figure.Find(c, side); known != nil {
		client, server := known.States()
		drawn = [2]wire.State{event.Client: client, event.Server: server}[side]
	}
	return is != wire.Listen && is != was && is != drawn
}

// misses notes what is missing, and why.
func (p *Page) misses(m *event.Moment) {
	line := ""
	switch {
	case m.What == event.Lost:
		line = fmt.Sprintf("segments that came faster than they were read: %d", m.Lost)
	case m.Err == nil:
		return
	case m.What == event.Captured:
		line = "no segments: " + m.Err.Error()
	case m.What == event.NotAsked:
		line = "what the kernel holds is not shown: " + m.Err.Error()
	}
	if !slices.Contains(p.run.Missing, line) {
		p.run.Missing = append(p.run.Missing, line)
	}
}

// isEarlier reports whether a socket is left of a connection that the page does not show:
// of a run before, mostly. A busy machine may have thousands of them.
func (p *Page) isEarlier(c *sockets.Change, side event.Side) bool {
	if c.State != wire.TimeWait || c.Descriptor >= 0 || p.figure.Find(c, side) != nil {
		return false
	}
	if c.Was == nil {
		p.run.Earlier++
	}
	return true
}

// see notes what the figure is about to turn into rows.
//
// The kernel is asked when a call has returned. It then says the states at the ends of
// the segments that have passed since it was asked before: they belong to the step with
// its answer. So those that came last while a call waited go to the step of its return.
func (p *Page) see(m *event.Moment) {
	e := m.Event
	if p.passed >= 0 && m.What != event.Passed && m.What != event.Returned {
		p.passed = -1
		p.diagram.unmark()
	}
	p.asks.sees(m)
	switch m.What {
	case event.Began:
		p.begin(e, m.At)
		if !p.full {
			p.asks.begins(e, m.At, len(p.run.Steps))
		}
		p.note = p.figure.NoteFor(e, p.figure.ConversationOf(e))
		p.step.Means = meaning(e, false, p.note)
	case event.Returned:
		if p.call == e.Number && p.alone {
			p.asks.returns(e, false, p.run.Steps)
			p.step.Means = meaning(e, true, p.note)
			break
		}
		p.begin(e, m.At) // it has waited
		p.asks.returns(e, true, p.run.Steps)
		p.step.Means = meaning(e, true, "")
	case event.Passed, event.Changed:
		if p.others++; p.others > mostOthers {
			p.finish()
			p.full, p.run.Cut = true, true
			return
		}
		if p.alone = false; m.What == event.Passed && p.passed < 0 {
			p.diagram.mark()
			p.passed, p.before = len(p.events), len(p.notes)
		}
	case event.Waits:
	case event.Noted:
		p.alone = false
	case event.Exited:
		p.begin(&event.Event{Caller: m.Exit.Caller}, m.At)
		p.step.Means = exited(m.Exit)
	case event.Figure:
		p.finish()
		p.begun = false
		return
	default:
		return
	}
	p.events = p.json.AppendMoment(p.events, m)
}

// meaning says in two sentences what a call does, when it begins, or has done, when it
// has returned. note is what the diagram says of the call; "" if that is nothing.
func meaning(e *event.Event, returned bool, note string) string {
	switch does := e.Call.Does; {
	case !returned:
		return sentences(note, e.Until())
	case e.NeverReturned():
		return "A signal came in the middle of the call: it has no result. It is made again, or the program ends."
	case e.Failed() && e.Recorded != nil && e.Recorded.AtOnce && e.ComesLater():
		return fmt.Sprintf("The call has not waited: it returned -1 with %s.", sys.ErrnoName(e.Errno))
	case e.Failed():
		return fmt.Sprintf("The call has failed with %s: %s. It returned -1, and errno says why.", sys.ErrnoName(e.Errno), e.Errno.Error())
	case does == event.Sets && e.Args[2].Int == unix.SO_REUSEADDR && e.Args[3].Int != 0:
		note = "the next bind may take the port, even if old connections on it are in TIME_WAIT"
	case does == event.Closes && note == "":
		note = "no FIN is sent"
	case does == event.Sets, does == event.ShutsDown, does == event.Closes: // what they have done is what was said before
	case does != event.Else && does != event.Sleeps:
		note = ""
	case e.Recorded != nil && note == "":
		note = e.Recorded.Note
	}
	if e.Call.Done == nil {
		return sentences(note, "")
	}
	return sentences(note, e.Call.Done(e))
}

// exited says how a program has ended, or which call of its has closed descriptors.
func exited(e *event.Exit) string {
	how := "has " + e.How
	switch {
	case e.Lives:
		return sentences(e.Text(), "The program goes on.")
	case e.How == "":
		how = "is killed, as by kill -9"
	case strings.HasPrefix(e.How, "killed"):
		how = "was " + e.How
	}
	return "The program " + how + ": it makes no more calls, and the kernel closes its descriptors."
}

// sentences makes a sentence of a note, if there is one, and appends others.
func sentences(note, others string) string {
	if note == "" {
		return others
	}
	return strings.TrimSuffix(strings.ToUpper(note[:1])+note[1:]+". "+others, " ")
}

// begin begins a step for a call.
func (p *Page) begin(e *event.Event, at time.Time) {
	p.finish()
	if !p.begun {
		p.start = at
	}
	p.full = len(p.run.Steps) == mostSteps
	p.run.Cut = p.full
	p.begun, p.call, p.alone = true, e.Number, true
	p.step = pageStep{Line: e.Line, File: p.sources.noteLine(e), Side: e.Side.String(), Name: nameOf(e.Caller), Held: []heldRow{}, Parts: [][2]string{}}
	if event.HasTime(at) && event.HasTime(p.start) {
		p.step.At = string(layout.AppendSeconds(nil, at.Sub(p.start)))
	}
}

// nameOf is the name of a program: client, server 2. One that is a server and a client at once
// keeps its name as a server.
func nameOf(c event.Caller) string {
	side, number := c.Side, c.Number()
	if c.Proxy > 0 {
		side = event.Server
	}
	if number == 1 {
		return side.String()
	}
	return fmt.Sprintf("%v %d", side, number)
}

// finish ends the step in hand.
func (p *Page) finish() {
	if !p.begun || p.full {
		return
	}
	p.diagram.finish()
	end, said := len(p.events), len(p.notes)
	if p.passed >= 0 {
		end, said = p.passed, p.before
	}
	for _, note := range p.notes[:said] {
		p.step.Means = withNote(p.step.Means, note)
	}
	p.notes = slices.Delete(p.notes, 0, said)
	p.passed = -1
	objects := bytes.ReplaceAll(bytes.TrimSuffix(p.events[:end], []byte("\n")), []byte("\n"), []byte(","))
	p.step.Events = append(append([]byte("["), objects...), ']')
	p.run.Steps = append(p.run.Steps, p.step)
	p.asks.ends(p.run.Steps)
	p.events = slices.Delete(p.events, 0, end)
}

// withNote appends a note to what a step means, if that does not say so already.
func withNote(means, note string) string {
	first, _, _ := strings.Cut(note, " (docs/")
	if strings.Contains(means, strings.TrimSuffix(sentences(first, ""), ".")) {
		return means
	}
	return strings.TrimSpace(means + " " + sentences(note, ""))
}

// draw draws rows. Those on what the kernel holds stand beside the diagram, and in it only
// if they are news to it; the parts of messages stand below.
func (p *Page) draw(rows []figure.Row, news bool) {
	for i := range rows {
		switch r := &rows[i]; r.Kind {
		case figure.SocketRow:
			p.step.Held = append(p.step.Held, heldRow{r.Side.String(), string(r.Text.Before)})
			if news {
				p.diagram.draw(r)
			}
		case figure.PartsRow:
			for _, part := range r.Parts {
				p.step.Parts = append(p.step.Parts, [2]string{part.Name, layout.SaidPart(part.Text)})
			}
		case figure.NoteRow:
			if p.begun && (r.Mistake || picture.IsLong(r)) {
				p.notes = append(p.notes, string(r.Text.Before))
			}
			p.diagram.draw(r)
		default:
			p.diagram.draw(r)
		}
	}
}

// noteBottoms notes where the steps end in the diagram that was just drawn.
func (p *Page) noteBottoms(which int) {
	for i, bottom := range p.diagram.bottoms {
		p.run.Steps[i].Bottoms[which] = bottom
	}
}

// appendTo appends the page.
func (p *Page) appendTo(b []byte) []byte {
	p.finish()
	width := float64(alone)
	if p.sources.complete() {
		width = besideSource
	}
	diagram := p.diagram.text(width)
	p.noteBottoms(0)
	diagram += "\n" + p.diagram.largeText()
	p.noteBottoms(1)
	diagram += "\n" + p.diagram.narrowText()
	p.noteBottoms(2)
	p.run.Sources = append([]*sourceFile{}, p.sources.files...)
	run, err := json.Marshal(p.run) // it escapes <, > and &
	if err != nil {
		panic(err) // the objects of the json format are JSON
	}
	replacer := strings.NewReplacer("{{title}}", picture.Escaped(p.run.Title), "{{style}}", picture.Style+pageStyle, "{{diagram}}", diagram,
		"{{run}}", string(run), "{{script}}", kernelScript+viewScript+askScript+pageScript)
	return append(b, replacer.Replace(pageText)...)
}

// The page's parts. Its script and its style stand in it.
var (
	//go:embed page.html
	pageText string
	//go:embed page.css
	pageStyle string
	//go:embed page.js
	pageScript string
	//go:embed view.js
	viewScript string
	//go:embed kernel.js
	kernelScript string
	//go:embed ask.js
	askScript string
)
