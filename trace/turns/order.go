package turns

import (
	"embed"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"lbaws/trace/output"
	"lbaws/trace/part"
)

// Order is a script: the programs, and the order in which they make their calls.
//
//	# The first line says what it shows.
//	server  runs serve -n 2          get, or serve with -n or -halfclose=false; without
//	                                 this line, the program makes the calls of its moves
//	server  accept ...               the call begins, and waits
//	client  connect                  the call begins and returns
//	server  ... accept               the call that waited returns
//	client  read = 0                 what it returns: a number or an error
//	server  getsockname ?            the program may leave this call out
//	client  connect ... &            make the next move with the same key
//	client  write a request !        and at once, whatever is still to be acknowledged
//	client  killed                   the program ends as after kill -9
//	client  is answered              wait until all that it sent is acknowledged
//	client  becomes CLOSING          wait until its connection is in a state
//	network holds everything         what is sent from now on is on its way
//	network passes two segments      of those that it holds
//	network passes everything        it holds nothing any more
//	network loses everything         that it holds, and holds nothing any more
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
	line     string
	who      string
	verb     string   // the call's name, or killed, is, becomes; of the network, holds, passes, loses
	args     []string // what follows it
	begins   bool     // whether the call only begins
	returns  bool     // or only returns
	want     string   // what it is to return; "" is anything
	optional bool
	joined   bool // whether the next move is made with the same key
	atOnce   bool // and while this one is still under way
}

//go:embed orders/*.txt
var scripts embed.FS

// Orders returns the orders, by their names.
func Orders() []*Order {
	files, _ := scripts.ReadDir("orders")
	var orders []*Order
	for _, file := range files {
		text, _ := scripts.ReadFile("orders/" + file.Name())
		orders = append(orders, parse(strings.TrimSuffix(file.Name(), ".txt"), string(text)))
	}
	return orders
}

// ErrUnknown means that there is no order of some name.
var ErrUnknown = errors.New("there is no order of that name")

// Named returns the order of that name.
func Named(name string) (*Order, error) {
	for _, o := range Orders() {
		if o.Name == name {
			return o, nil
		}
	}
	return nil, fmt.Errorf("-order %q: %w", name, ErrUnknown)
}

// List returns a line for each order: its name, and what it shows.
func List() string {
	list := ""
	for _, o := range Orders() {
		list += fmt.Sprintf("%-20s %s\n", o.Name, o.About)
	}
	return list
}

// parse reads a script of this package.
func parse(name, text string) *Order {
	o := &Order{Name: name, roles: make(map[string]Role)}
	for line := range strings.Lines(text) {
		line, about, isComment := strings.Cut(line, "#")
		if o.About == "" && isComment {
			o.About = strings.TrimSpace(about)
		}
		fields := strings.Fields(line)
		switch {
		case len(fields) == 0:
		case fields[1] == "runs":
			o.roles[fields[0]] = parseRole(fields[2:])
		default:
			o.moves = append(o.moves, parseMove(strings.Join(fields, " ")))
		}
	}
	return o
}

// parseRole reads what follows runs.
func parseRole(words []string) Role {
	r := Role{Client: words[0] == "get", Connections: 1, HalfClose: !slices.Contains(words, "-halfclose=false")}
	if i := slices.Index(words, "-n"); i >= 0 {
		r.Connections = number(words[i+1])
	}
	return r
}

// parseMove reads a line.
func parseMove(line string) move {
	m := move{line: line}
	rest, optional := strings.CutSuffix(line, " ?")
	rest, joined := strings.CutSuffix(rest, " &")
	rest, atOnce := strings.CutSuffix(rest, " !")
	rest, m.want, _ = strings.Cut(rest, " = ")
	m.optional, m.joined, m.atOnce = optional, joined || atOnce, atOnce
	rest, m.begins = strings.CutSuffix(rest, " ...")
	fields := strings.Fields(rest)
	m.who, fields = fields[0], fields[1:]
	if fields[0] == "..." {
		m.returns, fields = true, fields[1:]
	}
	m.verb, m.args = fields[0], fields[1:]
	return m
}

// beginsCall reports whether a call begins with the move.
func (m *move) beginsCall() bool {
	return m.who != "network" && !m.returns && !slices.Contains([]string{"killed", "is", "becomes"}, m.verb)
}

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
		o.name = flags.String("order", "book", "make the calls in the order `NAME`; -order list lists the names")
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
