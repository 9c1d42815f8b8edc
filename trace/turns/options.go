package turns

import (
	"flag"
	"fmt"
)

// Options are what the command line says about the order of the calls.
type Options struct {
	Order *Order // of the demo's calls
	Step  bool   // whether a person directs them

	name *string // nil if it is not a demo's
}

// Flags defines the flags. What they set is good after Check.
func (o *Options) Flags(flags *flag.FlagSet, isDemo bool) {
	if isDemo {
		o.name = flags.String("order", "book", "make the calls in the order `NAME`; -order list lists the names")
	}
	flags.BoolVar(&o.Step, "step", false,
		"stop before each call, and show what it will do and what the kernel holds; Enter makes it;\n"+
			"no peer is given up then, unless -timeout is given")
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
	return err
}
