// Package trace begins the trace that the command line asks for, with its formats and files.
//
// What happens goes one way from there. A Tracer, or a recording, gives its formats a
// moment (package event) when a call begins and when it returns, when a segment passes
// and when a socket changes. The formats are strace's lines and its table, JSON objects,
// a file for Wireshark, and those that draw: the diagram on a terminal, pictures, and the
// page. These put moments in order, turn them into rows (package figure), and draw each
// row.
package trace

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"lbaws/trace/message"
	"lbaws/trace/output"
	"lbaws/trace/part"
	"lbaws/trace/picture"
)

// Options are what the command line says about the trace.
type Options struct {
	Format   string // diagram, strace, json or off
	Output   string // the file that the trace goes to; "" is standard error
	Limit    uint   // how many bytes of a buffer are shown at most
	Summary  bool   // whether a table is written at the end
	Segments bool
	Sockets  bool      // whether what the kernel's sockets hold is shown
	Times    bool      // whether each row of the diagram has the time since the first one
	Deltas   bool      // or the time since the row before
	SVG      string    // the file that the diagram goes to as a picture; "" is none
	HTML     string    // the file that the page goes to; "" is none
	Pcap     string    // the file for Wireshark; "" is none
	ASCII    bool      // whether the diagram as text has no other characters
	All      bool      // whether each call has a row, also those that are like the one before
	From     part.From // with which call the diagram begins, and a person's steps
	Only     part.Part // which part of the run is wanted
	Pictures string    // the folder that the tutorial's pictures go to; "" is none

	Recording bool     // whether a recording is drawn, and no calls are made
	Inputs    []string // then: its files; "-" is standard input
	Preface   string   // and what stands on the first line; "" is nothing
	Summed    bool     // and whether that sums up the connections
	Clients   int      // and how many clients may have a column each

	Title  string // of the page
	Source string // the program's main.go, for the page

	Both   bool           // whether both ends of a connection are traced
	Others bool           // whether the calls are other programs'
	Steps  bool           // whether a panel is going to stand below the diagram
	Ask    bool           // whether a person is asked there what each call will do
	URL    []message.Part // of the request that is to be made, if there is one

	// Warn reports an output that can no longer be written. If it is nil, End returns the
	// error.
	Warn func(error)
}

// Flags defines the flags of the trace. What they set is good after Check.
func (o *Options) Flags(flags *flag.FlagSet) {
	flags.Func("trace", "write the trace in this `FORMAT`: diagram, strace, json or off (default diagram)", o.setFormat)
	stream := "standard error"
	if o.Recording {
		stream = "standard output"
	}
	flags.StringVar(&o.Output, "o", "", "write the trace to `FILE` (default "+stream+")")
	flags.UintVar(&o.Limit, "s", 32, "show at most `N` bytes of a buffer, as strace -s does; in json, at least 4096")
	flags.BoolVar(&o.Summary, "c", false, "on exit, write a table of calls, errors and time, as strace -c -w does")
	flags.BoolVar(&o.Times, "t", false, "put a time before each row of the diagram: seconds since the first row")
	flags.BoolVar(&o.Deltas, "r", false, "put a time before each row of the diagram: seconds since the row before, as strace -r does")
	flags.StringVar(&o.SVG, "svg", "", "on exit, write the diagram as a picture to `FILE`")
	implies := func(flag string) string {
		if o.Recording {
			return ""
		}
		return "; implies " + flag
	}
	flags.StringVar(&o.HTML, "html", "", "on exit, write a page to `FILE` on which to step through the run, both ways"+implies("-sockets"))
	flags.BoolVar(&o.All, "all", false, "show each call of a run of the same: waits, options, reads of one byte, and\n"+
		"what fails with EAGAIN")
	flags.Func("only", "show only a part of the run: `WHAT` is a connection's number (2), an address, :PORT or both,\n"+
		"pid:PID, or seconds since the first row (1.5..3); flags of different kinds must all fit", o.Only.Add)
	flags.BoolVar(&o.ASCII, "ascii", false, "draw the diagram's arrows, lines and marks in ASCII;\n"+
		"on a terminal of a locale without UTF-8, by itself")
	flags.StringVar(&o.Pcap, "pcap", "", "write the segments, and the calls between them, to `FILE` for Wireshark"+implies("-segments"))
	if o.Recording {
		flags.Var(&o.From, "from", "begin the diagram with the first `CALL`, such as accept, or of several: accept,connect")
		return
	}
	flags.Var(&o.From, "from", "begin the diagram with the first `CALL`, such as accept, or of several: accept,connect;\n"+
		"-step makes the calls before it without a key")
	flags.BoolVar(&o.Segments, "segments", o.Both,
		"show the real TCP segments in the diagram, or in json; this needs root or CAP_NET_RAW,\nor for demo a network namespace")
	flags.BoolVar(&o.Sockets, "sockets", false,
		"after each call, and while the program waits in one, show what has changed in the kernel's\n"+
			"sockets: states, the accept queue, bytes unread and not acknowledged, timers; needs Linux")
	if o.Both {
		flags.StringVar(&o.Pictures, "pictures", "", "on exit, write the tutorial's pictures to `DIRECTORY`; implies -sockets")
	}
}

func (o *Options) setFormat(value string) error {
	switch value {
	case "diagram", "strace", "json", "off":
		o.Format = value
		return nil
	}
	return errors.New("want diagram, strace, json or off")
}

// Check returns an error if the options contradict each other.
func (o *Options) Check() error {
	if !o.Recording {
		o.Segments = o.Segments || o.Pcap != "" || o.Ask
		o.Sockets = o.Sockets || o.HTML != "" || o.Pictures != ""
	}
	if o.Segments && !o.ShowsSegments() && !o.Both {
		return fmt.Errorf("-segments needs -trace diagram or json, or -svg or -html, not -trace %s alone", o.Format)
	}
	if o.Sockets && !o.ShowsMore() {
		return fmt.Errorf("-sockets needs -trace diagram or json, or -svg or -html, not -trace %s alone", o.Format)
	}
	if o.Steps && (o.Format != "diagram" || o.Output != "") {
		return errors.New("-step needs the diagram on standard error: leave out -o, and -trace other than diagram")
	}
	if err := o.checkTimes(); err != nil {
		return err
	}
	return o.checkFiles()
}

// checkTimes returns an error if times are wanted that no format shows.
func (o *Options) checkTimes() error {
	name := "-t"
	switch {
	case o.Times && o.Deltas:
		return errors.New("-t and -r are two times for the same row: choose one")
	case !o.Times && !o.Deltas || o.Format == "diagram" || o.SVG != "":
		return nil
	case o.Deltas:
		name = "-r"
	}
	if o.Format == "json" {
		return fmt.Errorf("%s needs -trace diagram or -svg; -trace json has a time in each object without it", name)
	}
	return fmt.Errorf("%s needs -trace diagram or -svg, not -trace %s alone", name, o.Format)
}

// place is a file that is read or written.
type place struct {
	name string
	info os.FileInfo // nil if it does not exist yet
}

func placeOf(path string) place {
	info, _ := os.Stat(path)
	return place{path, info}
}

func streamOf(name string, stream *os.File) place {
	info, _ := stream.Stat()
	return place{name, info}
}

// is reports whether two places are the same file, and not a device, which may be written
// to twice.
func (p place) is(other place) bool {
	if p.info != nil && other.info != nil {
		return os.SameFile(p.info, other.info) && p.info.Mode().IsRegular()
	}
	x, _ := filepath.Abs(output.Target(p.name))
	y, _ := filepath.Abs(output.Target(other.name))
	return x == y
}

// outputs are the files that are written.
func (o *Options) outputs() []place {
	var places []place
	if out := o.Output == "" && o.Format != "off" || o.Summary && o.Format != "json"; out && o.Recording {
		places = append(places, streamOf("standard output", os.Stdout))
	} else if out {
		places = append(places, streamOf("standard error", os.Stderr))
	}
	for _, file := range []string{o.Output, o.SVG, o.HTML, o.Pcap} {
		if file != "" {
			places = append(places, placeOf(file))
		}
	}
	if o.Pictures != "" {
		for name := range picture.Pictures() {
			places = append(places, placeOf(filepath.Join(o.Pictures, name)))
		}
	}
	return places
}

// checkFiles returns an error if two of the outputs are the same file, or one is read.
func (o *Options) checkFiles() error {
	outputs := o.outputs()
	for i, file := range outputs {
		for _, other := range outputs[:i] {
			if file.is(other) {
				return fmt.Errorf("%s and %s are the same file", other.name, file.name)
			}
		}
		for _, name := range o.Inputs {
			input := placeOf(name)
			if name == "-" {
				input = streamOf("standard input", os.Stdin)
			}
			if file.is(input) {
				return fmt.Errorf("%s would be written to, and is the recording %s: choose another file for the output", file.name, input.name)
			}
		}
	}
	return nil
}

// ShowsSegments reports whether segments are wanted, and a format shows them.
func (o *Options) ShowsSegments() bool { return o.Segments && (o.ShowsMore() || o.Pcap != "") }

// ShowsMore reports whether a format shows more than calls as strace writes them.
func (o *Options) ShowsMore() bool {
	return o.Format == "diagram" || o.Format == "json" || o.SVG != "" || o.HTML != "" || o.Pictures != ""
}
