package trace

import (
	"errors"
	"net/netip"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/trace/ask"
	"lbaws/trace/event"
	"lbaws/trace/figure"
	"lbaws/trace/jsonl"
	"lbaws/trace/layout"
	"lbaws/trace/live/source"
	"lbaws/trace/output"
	"lbaws/trace/page"
	"lbaws/trace/pcap"
	"lbaws/trace/picture"
	"lbaws/trace/screen"
	"lbaws/trace/sockets"
	"lbaws/trace/strace"
	"lbaws/trace/tracer"
)

// Trace is a trace that has begun.
type Trace struct {
	tracer   *tracer.Tracer            // nil of a recording
	sinks    tracer.Sinks              // what is written, and where it goes
	asker    *ask.Asker                // nil if nothing is asked
	pictures string                    // the folder that the tutorial's pictures go to
	drawn    map[string]*output.Stream // those pictures, by the names of their files
	lost     error                     // why outputs were not written: an errors.Join
	drawing  *sync.Mutex               // of a recording: held while the formats get a moment
	release  func()                    // of a recording: signals do what they did before it
}

// Start opens the files, and begins the trace. If one cannot be opened, the others are as
// they were.
func (o *Options) Start() (*Trace, error) {
	t := &Trace{pictures: o.Pictures, drawing: new(sync.Mutex)}
	sinks, err := o.sinks(t.fail)
	if err != nil {
		t.sinks = sinks
		t.Discard()
		return nil, err
	}
	if o.Pictures != "" {
		// "." shows that it is a folder.
		if err := unix.Access(o.Pictures+"/.", unix.W_OK); err != nil {
			return nil, sys.Fail("open", o.Pictures, err)
		}
		t.drawn = make(map[string]*output.Stream)
		for name, format := range picture.Pictures() {
			t.drawn[name] = output.NewBuffer()
			sinks = append(sinks, tracer.Sink{Format: format, Output: t.drawn[name]})
		}
	}
	if o.Ask {
		t.asker = &ask.Asker{}
		sinks = append(sinks, tracer.Sink{Format: t.asker, Output: sinks[0].Output}) // below the diagram
	}
	if t.sinks = sinks; o.Recording {
		t.endOnSignal()
	} else {
		t.tracer = tracer.New(sys.Unix{}, sinks...)
		t.tracer.Show(tracer.Wants{Both: o.Both && !o.Others, Segments: o.ShowsSegments(), Packets: o.Pcap != "" || o.HTML != "",
			Lines: o.HTML != "" && !o.Others, Sockets: o.Sockets, Others: o.Others, Reasons: o.ShowsMore()})
	}
	return t, nil
}

// wholeBuffers is how many bytes of a buffer a json trace has at least: a request and a
// response are whole, and can be drawn again.
const wholeBuffers = 4096

// fail notes why an output was not written.
func (t *Trace) fail(err error) { t.lost = errors.Join(t.lost, err) }

// sinks are the formats that are wanted, and where they go; if one cannot be opened, those
// that were. fail is told of an output that could not be written, unless the program goes on
// without it.
func (o *Options) sinks(fail func(error)) (sinks []tracer.Sink, err error) {
	report, follow, trace := fail, output.Replace, output.Create
	switch {
	case o.Recording:
		trace = output.Replace
	case o.Warn != nil: // a server's, which may run for days
		report, follow = o.Warn, output.Create
	}
	out := output.New(unix.Stderr, "standard error", report)
	if o.Recording {
		out = output.New(unix.Stdout, "standard output", report)
		out.Held = true
	}
	table := out
	if o.Output != "" {
		if out, err = trace(o.Output, report); err != nil {
			return nil, err
		}
		if o.Format != "json" { // a file of JSON objects gets no table at its end
			table = out
		}
	}
	limit := int(min(o.Limit, 1<<30))
	columns := layout.Columns{Limit: limit, About: figure.About{Both: o.Both, URL: o.URL, All: o.All || o.Steps, Only: o.Only, Preface: o.Preface, SumsUp: !o.Summed}, Steps: o.Steps || o.Others, Clients: o.Clients, ASCII: o.ASCII, From: o.From}
	switch {
	case o.Times:
		columns.Times = layout.SinceStart
	case o.Deltas:
		columns.Times = layout.SinceRow
	}
	switch o.Format {
	case "diagram":
		sinks = append(sinks, tracer.Sink{Format: screen.NewDiagramOn(out, columns), Output: out})
	case "strace":
		sinks = append(sinks, tracer.Sink{Format: filtered(columns.About, &strace.Writer{Limit: limit}), Output: out})
	case "json":
		sinks = append(sinks, tracer.Sink{Format: filtered(columns.About, &jsonl.Writer{Limit: limit, Buffers: wholeBuffers}), Output: out})
	}
	for _, file := range []struct {
		path   string
		open   func(path string, report func(error)) (*output.Stream, error)
		report func(error)
		format func() event.Format
	}{
		{o.SVG, output.Replace, fail, func() event.Format { return picture.NewSVG(columns) }},
		{o.HTML, output.Replace, fail, func() event.Format { return page.New(columns, o.Title, o.source()) }},
		{o.Pcap, follow, report, func() event.Format { return filtered(columns.About, pcap.New(limit)) }},
	} {
		if file.path == "" {
			continue
		}
		out, err := file.open(file.path, file.report)
		if err != nil {
			return sinks, err
		}
		sinks = append(sinks, tracer.Sink{Format: file.format(), Output: out})
	}
	if o.Summary {
		sinks = append(sinks, tracer.Sink{Format: filtered(columns.About, &strace.Summary{}), Output: table})
	}
	return sinks, nil
}

// source returns what reads the source of the programs whose calls are traced, or nil: of
// recordings, it is not known.
func (o *Options) source() func(file string) (string, error) {
	switch {
	case o.Recording:
		return nil
	case o.Others:
		return source.Text
	}
	return func(string) (string, error) { return o.Source, nil }
}

// Of returns a Kernel in front of k that traces a program's calls, or k itself if
// nothing is traced.
func (t *Trace) Of(caller event.Caller, k sys.Kernel) sys.Kernel {
	if len(t.sinks) == 0 {
		return k
	}
	return t.tracer.Of(caller, k)
}

// Began says that a call of another program begins, and returns its event, for Returned.
func (t *Trace) Began(e event.Event) *event.Event { return t.tracer.Began(e) }

// Returned says that the call has returned.
func (t *Trace) Returned(begun *event.Event, e event.Event) { t.tracer.Returned(begun, e) }

// Exited says that another program has ended, or has lost descriptors.
func (t *Trace) Exited(e *event.Exit) { t.tracer.Exited(e) }

// Between says that another program is a server and a client at once, from now on.
func (t *Trace) Between(p *event.Proxy) { t.tracer.Between(p) }

// Follows says that a process is one of the other programs' from now on, or is no more.
func (t *Trace) Follows(pid int, follows bool) { t.tracer.Follows(pid, follows) }

// Serves says that another program listens on an address, or is about to.
func (t *Trace) Serves(address netip.AddrPort) { t.tracer.Serves(address) }

// SetPanel shows lines of plain text below the diagram, until the trace ends.
func (t *Trace) SetPanel(lines []string) { t.tracer.SetPanel(lines) }

// SetASCII draws the diagram in ASCII from now on.
func (t *Trace) SetASCII() { t.tracer.SetASCII() }

// Asker returns who asks what a call will do, or nil.
func (t *Trace) Asker() *ask.Asker { return t.asker }

// Look shows what has happened since the last call began or returned.
func (t *Trace) Look() { t.tracer.Look() }

// Note shows what was done between the calls, and when.
func (t *Trace) Note(at time.Time, text string) { t.tracer.Note(at, text) }

// Lose says which addresses' machines lose what they are sent from now on.
func (t *Trace) Lose(to []netip.AddrPort) { t.tracer.Lose(to) }

// Forks says that a program has a copy now of each of some descriptors of another one.
func (t *Trace) Forks(parent, child event.Caller, fds []int) { t.tracer.Forks(parent, child, fds) }

// Forgets shows that the kernel has forgotten a connection.
func (t *Trace) Forgets(c *sockets.Change, side event.Side) { t.tracer.Forgets(c, side) }

// End shows that the program leaves, and writes what is left of the trace. A
// program that may not be able to leave calls it from another thread; only the
// first call does anything. The error says why a part of the trace was not
// written, if Warn was not told.
func (t *Trace) End() error {
	t.tracer.End()
	return t.lost
}

// Discard removes what was made for outputs that are not complete. Any thread may call it,
// just before the process ends.
func (t *Trace) Discard() {
	for _, sink := range t.sinks {
		sink.Output.Discard()
	}
}

// WritePictures writes the tutorial's pictures, after End. The error says which of them
// could not be written.
func (t *Trace) WritePictures() error {
	t.lost = nil
	for name, picture := range t.drawn {
		out, err := output.Replace(filepath.Join(t.pictures, name), t.fail)
		if err != nil {
			t.fail(err)
			continue
		}
		out.Text = picture.Text
		out.Close()
	}
	return t.lost
}
