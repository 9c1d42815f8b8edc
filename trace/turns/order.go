package turns

import (
	"embed"
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"lbaws/sys/process"
	"lbaws/trace/ask"
	"lbaws/trace/event"
	"lbaws/trace/output"
	"lbaws/trace/part"
)

// Order is a script: the programs, and the order in which they make their calls. moves.txt
// says what its lines are.
type Order struct {
	Name, About string
	roles       map[string]Role // of those that run a program
	moves       []move
}

// Role is what a program of an order runs.
type Role struct {
	Client      bool // get; otherwise, serve:
	Connections int  // so many,
	HalfClose   bool // after requests that may be incomplete
}

// move is a line of a script.
type move struct {
	line     int    // its number in the file
	text     string // and what it says there
	who      string
	verb     string   // the call's name, or another one of forms
	args     []string // what follows it
	on       int      // the descriptor on which the call is made; 0 is the last socket's
	begins   bool     // whether the call only begins
	returns  bool     // or only returns
	want     string   // what it is to return; "" is anything
	optional bool
	joined   bool // whether the next move is made with the same key
	atOnce   bool // and while this one is still under way
}

//go:embed orders/*.txt
var scripts embed.FS

//go:embed moves.txt
var moves string

// Orders returns the orders, by their names.
func Orders() []*Order {
	files, _ := scripts.ReadDir("orders")
	var orders []*Order
	for _, file := range files {
		text, _ := scripts.ReadFile("orders/" + file.Name())
		o, err := parse(strings.TrimSuffix(file.Name(), ".txt"), string(text))
		if err != nil {
			panic(err) // the tests parse each of them
		}
		orders = append(orders, o)
	}
	return orders
}

// ErrUnknown means that there is no order of some name.
var ErrUnknown = errors.New("there is no order of that name")

// Named returns the order of that name or, if that has a dot or a slash, the one in that file.
func Named(name string) (*Order, error) {
	if strings.ContainsAny(name, "./") {
		return read(name)
	}
	for _, o := range Orders() {
		if o.Name == name {
			return o, nil
		}
	}
	return nil, fmt.Errorf("-order %q: %w (that of a file has a dot or a slash)", name, ErrUnknown)
}

// read reads an order from a file. Two processes read it: a pipe would be empty for the second.
func read(name string) (*Order, error) {
	const most = 1 << 20
	info, err := os.Stat(name)
	switch {
	case err != nil:
	case !info.Mode().IsRegular():
		err = errors.New("it is no regular file")
	case info.Size() > most:
		err = errors.New("an order has at most a MiB")
	}
	var text []byte
	if err == nil {
		process.LeaveLowNumbers() // before the runtime opens what it needs for files
		text, err = os.ReadFile(name)
	}
	var o *Order
	if err == nil {
		if o, err = parse(strconv.Quote(name), string(text)); err != nil {
			err = fmt.Errorf("%w (-order moves lists what a line may be)", err)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("-order %q: %w", name, err)
	}
	return o, nil
}

// List returns a line for each order: its name, and what it shows.
func List() string {
	list := ""
	for _, o := range Orders() {
		list += fmt.Sprintf("%-20s %s\n", o.Name, o.About)
	}
	return list
}

// beginsCall reports whether a call begins with the move.
func (m *move) beginsCall() bool { return m.isCall() && !m.returns }

// isCall reports whether a program makes a call with the move.
func (m *move) isCall() bool { return m.who != network && event.Named(m.verb) != nil }

// Options are what the command line says about the order of the calls.
type Options struct {
	Order *Order // of the demo's calls
	Step  bool   // whether a person directs them
	Ask   bool   // whether that person is asked what each will do

	Source string     // of main.go, for the panel
	From   *part.From // with which call the person's steps begin

	name *string // nil if it is not a demo's
}

// Flags defines the flags. What they set is good after Check.
func (o *Options) Flags(flags *flag.FlagSet, isDemo bool) {
	if isDemo {
		o.name = flags.String("order", "book", "make the calls in the order `NAME`, or in that of a file, if NAME has a dot or a slash;\n"+
			"-order list lists the names, -order moves what stands in a file")
	}
	flags.BoolVar(&o.Step, "step", false,
		"stop before each call, and show what it will do and what the kernel holds; Enter makes it;\n"+
			"no peer is given up then, unless -timeout is given")
	ask.Flag(flags, &o.Ask, &o.Step)
}

// foldsSetUp reports whether the set-up of an order would fill the screen before what the order
// is to show: with the panel below it.
func (o *Options) foldsSetUp() bool {
	const low = 30 // lines
	_, lines, terminal := output.New(unix.Stderr, "", nil).Window()
	return o.Step && o.Order != nil && o.Order.Name != "book" && len(*o.From) == 0 && terminal && lines < low
}

// Check returns ErrUnknown if there is no such order. If the orders or the moves of one were to
// be listed, it lists them and returns flag.ErrHelp.
func (o *Options) Check() (err error) {
	switch {
	case o.name == nil:
	case *o.name == "list":
		fmt.Print(List())
		return flag.ErrHelp
	case *o.name == "moves":
		fmt.Print(moves)
		return flag.ErrHelp
	default:
		o.Order, err = Named(*o.name)
	}
	if err == nil && o.foldsSetUp() {
		*o.From = part.From{"accept", "connect"}
	}
	return err
}
