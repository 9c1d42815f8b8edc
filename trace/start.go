package trace

import (
	"path/filepath"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/trace/event"
	"lbaws/trace/figure"
	"lbaws/trace/jsonl"
	"lbaws/trace/layout"
	"lbaws/trace/output"
	"lbaws/trace/page"
	"lbaws/trace/pcap"
	"lbaws/trace/picture"
	"lbaws/trace/screen"
	"lbaws/trace/strace"
	"lbaws/trace/tracer"
)

// Trace is a trace that has begun.
type Trace struct {
	tracer   *tracer.Tracer            // nil of a recording
	sinks    tracer.Sinks              // what is written, and where it goes
	pictures string                    // the folder that the tutorial's pictures go to
	drawn    map[string]*output.Stream // those pictures, by the names of their files
	lost     error                     // why a part of an output was not written
}

// Start opens the files, and begins the trace.
func (o *Options) Start() (*Trace, error) {
	t := &Trace{pictures: o.Pictures}
	fail := func(err error) { t.lost = err }
	report := o.Warn
	if report == nil {
		report = fail
	}
	sinks, err := o.sinks(report, fail)
	if err != nil {
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
	if t.sinks = sinks; !o.Recording {
		t.tracer = tracer.New(sys.Unix{}, sinks...)
		t.tracer.Show(tracer.Wants{Both: o.Both, Segments: o.ShowsSegments(), Packets: o.Pcap != "" || o.HTML != "",
			Lines: o.HTML != "", Sockets: o.Sockets})
	}
	return t, nil
}

// wholeBuffers is how many bytes of a buffer a json trace has at least: a request and a
// response are whole, and can be drawn again.
const wholeBuffers = 4096

// sinks are the formats that are wanted, and where they go. report is told of an
// output that can no longer be written, fail of a picture that cannot be.
func (o *Options) sinks(report, fail func(error)) ([]tracer.Sink, error) {
	out := output.New(unix.Stderr, "standard error", report)
	if o.Recording {
		out = output.New(unix.Stdout, "standard output", report)
		out.Held = true
	}
	table := out
	var err error
	if o.Output != "" {
		if out, err = output.Create(o.Output, report); err != nil {
			return nil, err
		}
		if o.Format != "json" { // a file of JSON objects gets no table at its end
			table = out
		}
	}
	var sinks []tracer.Sink
	limit := int(min(o.Limit, 1<<30))
	columns := layout.Columns{Limit: limit, About: figure.About{Both: o.Both, URL: o.URL, Preface: o.Preface}, Steps: o.Steps, Clients: o.Clients}
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
		sinks = append(sinks, tracer.Sink{Format: &strace.Writer{Limit: limit}, Output: out})
	case "json":
		sinks = append(sinks, tracer.Sink{Format: &jsonl.Writer{Limit: limit, Buffers: wholeBuffers}, Output: out})
	}
	for _, file := range []struct {
		path   string
		report func(error)
		format func() event.Format
	}{
		{o.SVG, fail, func() event.Format { return picture.NewSVG(columns) }},
		{o.HTML, fail, func() event.Format { return page.New(columns, o.Title, o.Source) }},
		{o.Pcap, report, func() event.Format { return pcap.New(limit) }},
	} {
		if file.path == "" {
			continue
		}
		out, err := output.Create(file.path, file.report)
		if err != nil {
			return nil, err
		}
		sinks = append(sinks, tracer.Sink{Format: file.format(), Output: out})
	}
	if o.Summary {
		sinks = append(sinks, tracer.Sink{Format: &strace.Summary{}, Output: table})
	}
	return sinks, nil
}

// Of returns a Kernel in front of k that traces a program's calls, or k itself if
// nothing is traced.
func (t *Trace) Of(caller event.Caller, k sys.Kernel) sys.Kernel {
	if len(t.sinks) == 0 {
		return k
	}
	return t.tracer.Of(caller, k)
}

// SetPanel shows lines of plain text below the diagram, until the trace ends.
func (t *Trace) SetPanel(lines []string) { t.tracer.SetPanel(lines) }

// Look shows what has happened since the last call began or returned.
func (t *Trace) Look() { t.tracer.Look() }

// Note shows what was done between the calls.
func (t *Trace) Note(text string) { t.tracer.Note(text) }

// End shows that the program leaves, and writes what is left of the trace. A
// program that may not be able to leave calls it from another thread; only the
// first call does anything. The error says why a part of the trace was not
// written, if Warn was not told.
func (t *Trace) End() error {
	t.tracer.End()
	return t.lost
}

// WritePictures writes the tutorial's pictures, after End. Each takes the place
// of an old one when it is whole.
func (t *Trace) WritePictures() error {
	for name, picture := range t.drawn {
		if err := output.Replace(filepath.Join(t.pictures, name), picture.Text); err != nil {
			return err
		}
	}
	return nil
}
