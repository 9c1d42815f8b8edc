package live

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"

	"lbaws/sys/namespace"
	"lbaws/trace"
	"lbaws/trace/ask"
	"lbaws/trace/live/title"
)

// Flags defines the flags of the command run that the trace does not have.
func (r *Run) Flags(flags *flag.FlagSet) {
	flags.Func("p", "follow the process `PID`, which runs already, in place of a PROGRAM", r.setPID)
	flags.BoolVar(&r.private, "private", false, "run the programs in a network of their own, with -segments (default true with a CLIENT)")
	flags.BoolVar(&r.step, "step", false, "wait for a key before each call on a TCP socket, and show what it will do")
	ask.Flag(flags, &r.asks, &r.step)
}

func (r *Run) setPID(value string) (err error) {
	if r.pid, err = strconv.Atoi(value); err != nil || r.pid <= 0 {
		return errors.New("want the number of a process")
	}
	return nil
}

// Parse takes the rest of the command line, behind the flags: each "--" begins another program.
// With clients, a network of their own and its segments are wanted unless the flags say
// otherwise.
func (r *Run) Parse(flags *flag.FlagSet, o *trace.Options) (err error) {
	if r.programs, err = programs(flags.Args(), r.pid); err != nil {
		return fmt.Errorf("run: %w", err)
	}
	given := make(map[string]bool)
	flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
	o.Both, o.Others, o.Steps, o.Ask = len(r.programs) > 1, true, r.step, r.asks
	r.private = r.private || o.Both && !given["private"]
	o.Segments = o.Segments || r.private && !given["segments"]
	o.Title = title.Of("lbaws run", r.programs, r.pid)
	return nil
}

// programs takes a command line apart. There are none if a process is followed that runs
// already.
func programs(args []string, pid int) (programs [][]string, err error) {
	switch {
	case pid > 0 && len(args) > 0:
		return nil, errors.New("-p follows a process that runs already: leave out the PROGRAM")
	case pid > 0:
		return nil, nil
	}
	for {
		end := slices.Index(args, "--")
		if end == 0 || len(args) == 0 {
			return nil, errors.New("needs a PROGRAM, and another one behind each --")
		}
		if end < 0 {
			return append(programs, args), nil
		}
		programs, args = append(programs, args[:end]), args[end+1:]
	}
}

// Do runs the programs, or follows the process, with the trace that o asks for, and returns
// the exit status: the first program's, unless something fails, of which warn is told.
func (r *Run) Do(o *trace.Options, warn func(error)) (status int) {
	if r.private {
		if status, done := namespace.Run(r.step); done {
			return status
		}
	}
	t, err := o.Start()
	if err != nil {
		warn(err)
		return 1
	}
	r.inFile = o.Output != ""
	r.trace, r.limit, r.lines, r.more, r.from = t, int(min(o.Limit, 1<<30)), o.HTML != "", o.ShowsMore(), o.From
	r.left = func() {
		if err := t.End(); err != nil {
			warn(err)
		}
		os.Exit(0)
	}
	status, err = r.run()
	if err = errors.Join(err, t.End()); err != nil {
		warn(err)
		status = max(status, 1)
	}
	return status
}
