package turns

import (
	"errors"
	"fmt"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/sys/process"
	"lbaws/trace/ask"
	"lbaws/trace/event"
	"lbaws/trace/part"
	"lbaws/trace/predict"
	"lbaws/trace/turns/keys"
	"lbaws/trace/turns/panel"
)

// person directs programs from the keyboard: before each call there is a panel, and
// a key makes the call.
type person struct {
	*Stage
	moves    []move   // what is left of the order, unless the person has left it
	chosen   *program // whose call is next
	from     part.From
	goal     goal         // whether calls are made without a key
	explains bool         // whether the panel explains the call
	refusal  string       // why the last key did nothing
	moved    bool         // whether a call was made since the kernel was asked
	kernel   panel.Kernel // what it holds, for the panel
	asker    *ask.Asker   // nil if nothing is asked
}

// goal is how long calls are made without a key.
type goal int

const (
	eachCall   goal = iota // not at all: each call needs one
	firstCall              // until the first that the person wants to see is next
	connection             // until accept has returned a connection
	theEnd
)

// errQuit means that the person has left.
var errQuit = errors.New("quit")

// step is play, directed by a person, to whom the order's moves are proposed.
func (s *Stage) step(from part.From) error {
	defer s.Restore()
	s.openKeys()
	if _, err := s.program("server"); err != nil {
		return err
	}
	d := &person{Stage: s, moves: s.order.moves, from: from, asker: s.trace.Asker()}
	if err := d.direct(); !errors.Is(err, errQuit) {
		return err
	}
	return nil
}

// Program returns the Kernel of a program that runs on a thread of its own, and whose
// peers are others: a person directs it, until Close.
func (s *Stage) Program(side event.Side, from part.From) sys.Kernel {
	p := &program{name: side.String(), stage: s, caller: event.Caller{Side: side}, turn: make(chan struct{}, 1), thread: thisThread()}
	p.thread.follow()
	s.programs = append(s.programs, p)
	s.alone = true
	process.OnSignal(func(syscall.Signal) { s.Close() }, func(syscall.Signal) {}) // what else it does, the program says
	s.openKeys()
	d := &person{Stage: s, chosen: p, from: from, asker: s.trace.Asker()}
	go func() {
		err := d.direct()
		s.Close()
		if errors.Is(err, errQuit) {
			unix.Kill(unix.Getpid(), unix.SIGINT)
		}
	}()
	return p.kernel()
}

// openKeys prepares for a person who directs. A signal that comes before, or
// meanwhile, finds the terminal as it was or gives it back.
func (s *Stage) openKeys() {
	s.mu.Lock()
	s.keys, s.memory = keys.Open(s.hidePanel), &predict.Memory{}
	if s.left {
		s.keys.Close()
	}
	s.mu.Unlock()
	if s.keys.IsWide() {
		s.trace.SetASCII()
	}
}

// Restore takes the panel off the screen, and gives the terminal back as it was. Any
// thread may call it, and more than once.
func (s *Stage) Restore() {
	s.mu.Lock()
	s.left = true
	k := s.keys
	s.mu.Unlock()
	if k != nil {
		k.Close()
	}
	s.hidePanel()
}

// Close holds calls no more, and gives the terminal back. Any thread may call it, and
// more than once. A nil Stage has held none.
func (s *Stage) Close() {
	if s == nil {
		return
	}
	defer s.Restore()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open {
		return
	}
	s.open = true
	for _, p := range s.programs {
		switch p.state {
		case held:
			p.proceed(inCall)
		case back:
			p.proceed(running)
		}
	}
}

// direct directs the programs until they are over, or the person has left.
func (d *person) direct() error {
	if len(d.from) > 0 {
		d.goal = firstCall
	}
	for {
		ended, err := d.settleAll()
		if ended || err != nil {
			return err
		}
		if d.goal == firstCall && d.from.Has(d.nextName()) {
			d.goal = eachCall
		}
		switch {
		case d.canMove() && d.goal != eachCall:
			err = d.move()
		case d.goal == theEnd && d.isStuck():
			return nil
		default:
			err = d.press(d.key())
		}
		if err != nil {
			return err
		}
	}
}

// settleAll lets the calls return that the kernel has answered, and reports whether
// all programs have ended, or nothing is held any more.
func (d *person) settleAll() (ended bool, err error) {
	if !d.alone && len(d.programs) == 1 && d.Address().Port() != 0 { // the client knows where to go
		if _, err := d.program("client"); err != nil {
			return true, err
		}
	}
	ended = true
	for _, p := range d.programs {
		switch is := d.stateOf(p); {
		case len(d.moves) > 0:
		case is == back:
			d.release(p)
		case is == idle: // the order has no moves for it any more
			d.finish(p)
		}
		switch d.stateOf(p) {
		case running:
			d.await(p, true, idle, held, back, over)
			ended = false
		case over:
			if err := p.failed(); err != nil {
				return true, err
			}
		default:
			ended = false
		}
	}
	d.mu.Lock()
	ended = ended || d.open
	d.mu.Unlock()
	if !ended {
		err = d.prepare()
		d.look()
	}
	return ended, err
}

// prepare lets the programs of the moves that the next key makes come to their calls, for the
// panel, and goes over moves that programs leave out.
func (d *person) prepare() error {
	for i, moves := 0, d.together(); i < len(moves); i++ {
		m := &moves[i]
		if !m.beginsCall() {
			continue
		}
		p, err := d.program(m.who)
		if err == nil {
			err = d.ready(p, m)
		}
		if err != nil {
			return err
		}
		if m.optional && d.stateOf(p) == held && p.event.Call.Name != m.verb {
			d.moves = d.moves[1:]
			return d.prepare()
		}
	}
	return nil
}

// release lets a call return.
func (d *person) release(p *program) {
	d.moved, d.refusal = true, ""
	d.hide()
	if p.answer.Call.Does == event.Accepts && p.answer.Result >= 0 {
		d.acceptReturns()
	}
	d.answer(p)
	d.await(p, true, idle, held, back, over)
}

// look shows what has happened, and asks the kernel what it holds: for all that it
// holds after a call, and otherwise as often as that does not take much time.
func (d *person) look() {
	d.trace.Look()
	d.note(d.moved)
	d.moved = false
}

// note asks the kernel what it holds: for all of it or, while a person thinks, mostly
// for what may have changed.
func (s *Stage) note(all bool) {
	port := s.Address().Port()
	if s.watch == nil || port == 0 && !s.alone {
		return
	}
	s.watch.Follow(port)
	ask := s.watch.All
	if !all {
		ask = s.watch.Poll
	}
	changes, err := ask()
	if err != nil {
		return
	}
	s.memory.Note(changes)
	for i := range changes {
		side := event.Client
		if changes[i].Local.Port() == port {
			side = event.Server
		}
		if changes[i].TimedOut && (!s.alone || side == s.programs[0].caller.Side) {
			s.trace.Forgets(&changes[i], side)
		}
	}
}

// canMove reports whether there is a call to make.
func (d *person) canMove() bool {
	if len(d.moves) > 0 {
		return true
	}
	if d.chosen == nil || d.stateOf(d.chosen) != held {
		for _, p := range d.programs {
			if d.stateOf(p) == held {
				d.chosen = p
			}
		}
	}
	return d.chosen != nil && d.stateOf(d.chosen) == held
}

// nextName is the name of the call that the next key makes; "" if it makes none.
func (d *person) nextName() string {
	switch {
	case !d.canMove():
		return ""
	case len(d.moves) > 0:
		return d.moves[0].verb
	}
	return d.chosen.event.Call.Name
}

// isStuck reports whether no program can go on, whatever time passes.
func (d *person) isStuck() bool { return !d.alone && !d.canMove() }

// move makes the next call.
func (d *person) move() error {
	d.refusal, d.explains, d.moved = "", false, true
	d.kernel.Calls(d.memory, d.owner)
	d.hide()
	d.asker.Begins()
	if len(d.moves) > 0 {
		return d.playNext()
	}
	p := d.chosen
	d.proceed(p, inCall)
	if err := d.await(p, true, back, over); err != nil {
		return err
	}
	d.wait()
	answer := d.answerOf(p)
	if d.stateOf(p) == back {
		d.release(p)
	}
	d.judge(answer)
	return nil
}

// playNext makes the next move of the order, and those that are made with the same key.
func (d *person) playNext() error {
	for _, m := range d.together() {
		d.moves = d.moves[1:]
		if err := d.play(&m); err != nil {
			return err
		}
		if m.beginsCall() {
			d.judge(d.answerOf(d.named(m.who)))
		}
		if m.verb == "accept" && !m.begins {
			d.acceptReturns()
		}
	}
	return nil
}

// together are the moves that the next key makes.
func (d *person) together() []move {
	n := slices.IndexFunc(d.moves, func(m move) bool { return !m.joined })
	return d.moves[:n+1]
}

// hide takes the panel off a terminal while a program runs: what it prints there
// would be mixed up with the panel.
func (d *person) hide() {
	if d.keys.Interactive() {
		d.drawn = nil
		d.hidePanel()
	}
}

// acceptReturns stops at the goal, if this is it.
func (d *person) acceptReturns() {
	if d.goal == connection {
		d.goal = eachCall
	}
}

// key shows the panel, and returns the next key, or None for now. A script's keys wait
// until there is a call to make.
func (d *person) key() keys.Key {
	const often = 50 * time.Millisecond // the panel is looked after while no key comes
	can := d.canMove()
	d.draw(can)
	if d.keys.Interactive() {
		return d.keys.Next(often)
	}
	if !can && !d.isStuck() {
		until(often, func() bool {
			return slices.ContainsFunc(d.programs, func(p *program) bool { return d.stateOf(p) == back })
		})
		return keys.None
	}
	return d.keys.Next(time.Hour)
}

// press does what a key asks for.
func (d *person) press(k keys.Key) error {
	switch k {
	case keys.None:
		return nil
	case keys.End:
		d.runOn()
		return nil
	case keys.Redraw:
		d.drawn = nil
		return nil
	}
	d.refusal = ""
	if d.asker.Answer(int(k)) && d.canMove() {
		return d.move()
	}
	switch k {
	case '\n', '\r':
		if d.canMove() {
			return d.move()
		}
		d.refusal = "no program is about to make a call now"
	case 'r':
		d.goal = connection
	case 'R':
		d.runOn()
	case 's':
		d.choose(event.Server)
	case 'c':
		d.choose(event.Client)
	case 'x', 'X':
		d.kill(k == 'X')
	case '?':
		d.explains = !d.explains
	case 'q', '\x03':
		return errQuit
	default:
		if k > ' ' {
			d.refusal = fmt.Sprintf("%q is no key here", rune(k))
		}
	}
	return nil
}

// runOn makes all calls that are left without a key. A program whose peers are
// others goes on without a panel.
func (d *person) runOn() {
	d.goal = theEnd
	if d.alone {
		d.Close()
	}
}

// choose lets the program of a side make its call next. With that the person may
// leave the order.
func (d *person) choose(side event.Side) {
	switch next, p := d.next(), d.ofSide(side); {
	case d.alone:
		d.refusal = "the other end is not directed here"
	case p == nil:
		d.refusal = "the client begins when the server has a port"
	case p == next:
	case p.puppet != nil || d.ofSide(1-side).puppet != nil:
		d.refusal = "in this order, a program makes the calls of its moves: Enter makes the next one"
	case d.stateOf(p) == over:
		d.refusal = "the " + p.name + " has ended"
	case d.stateOf(p) == inCall:
		d.refusal = "the " + p.name + " waits in a call"
	default:
		d.moves = nil
		d.settleAll() // calls return that the order still held back
		d.chosen = p
	}
}

// kill ends the program whose call is next, or the other one, as kill -9 would.
func (d *person) kill(theOther bool) {
	p := d.next()
	for _, other := range d.programs {
		if p == nil || d.stateOf(p) == over || theOther && other != p && d.stateOf(other) != over {
			p, theOther = other, false // mostly, it waits in a call
		}
	}
	switch {
	case d.alone:
		d.refusal = "x works only in a demo"
	case d.stateOf(p) == over:
		d.refusal = "both programs have ended"
	case p.puppet != nil:
		d.refusal = "x cannot end the " + p.name + ": in this order, it only makes the calls of its moves"
	default:
		d.moves, d.chosen = nil, nil
		if err := p.kill(); err != nil {
			d.refusal = err.Error()
		}
		d.settle()
	}
}

// next returns the program that makes the next call, or nil.
func (d *person) next() *program {
	if len(d.moves) == 0 {
		return d.chosen
	}
	return d.named(d.moves[0].who)
}

// ofSide returns the first program of a side, or nil.
func (d *person) ofSide(side event.Side) *program {
	return d.find(func(p *program) bool { return p.caller.Side == side })
}

// named returns the program of that name, or nil.
func (s *Stage) named(name string) *program {
	return s.find(func(p *program) bool { return p.name == name })
}

// find returns the first program of which something is true, or nil.
func (s *Stage) find(is func(*program) bool) *program {
	if i := slices.IndexFunc(s.programs, is); i >= 0 {
		return s.programs[i]
	}
	return nil
}
