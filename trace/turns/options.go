package turns

import (
	"flag"
	"fmt"

	"golang.org/x/sys/unix"

	"lbaws/trace/output"
	"lbaws/trace/part"
)

// Options are what the command line says about the order of the calls.
type Options struct {
	Order *Order // of the demo's calls
	Step  bool   // whether a person directs them

	Source string     // of main.go, for the panel
	From   *part.From // with which call the person's steps begin

	name *string // nil if it is not a demo's
}

// Flags defines the flags. What they set is good after Check.
func (o *Options) Flags(flags *flag.FlagSet, isDemo bool) {
	if isDemo {
		o.name = flags.String("order", "book", "make the calls in the order `NAME`, or in that of a file, if NAME has a dot or a slash;\n"+
			"-order list lists the names")
	}
	flags.BoolVar(&o.Step, "step", false,
		"stop before each call, and show what it will do and what the kernel holds; Enter makes it;\n"+
			"no peer is given up then, unless -timeout is given")
}

// foldsSetUp reports whether the set-up of an order would fill the screen before what the order
// is to show: with the panel below it.
func (o *Options) foldsSetUp() bool {
	const low = 30 // lines
	_, lines, terminal := output.New(unix.Stderr, "", nil).Window()
	return o.Step && o.Order != nil && o.Order.Name != "book" && len(*o.From) == 0 && terminal && lines < low
}

// Check returns ErrUnknown if there is no such order. If the orders were to be listed,
// it lists them and returns flag.ErrHelp.
func (o *Options) Check() (err error) {
	switch {
	case o.name == nil:
	case *o.name == "list":
		fmt.Print(List())
		return flag.ErrHelp
	default:
		o.Order, err = Named(*o.name)
	}
	if err == nil && o.foldsSetUp() {
		*o.From = part.From{"accept", "connect"}
	}
	return err
}
