package live

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"lbaws/sys/ptrace"
	"lbaws/trace/ask"
	"lbaws/trace/event"
	"lbaws/trace/others"
	"lbaws/trace/part"
	"lbaws/trace/predict"
	"lbaws/trace/sockets"
	"lbaws/trace/turns/keys"
	"lbaws/trace/turns/panel"
)

// person directs the programs from the keyboard: before each call on a TCP socket there is a
// panel, and a key makes the call.
type person struct {
	*watcher
	keys     *keys.Keys
	bell     *ptrace.Bell   // rings when a program does something
	stirred  time.Time      // when it has rung last
	watch    *sockets.Watch // nil if the kernel cannot be asked
	memory   predict.Memory
	held     []*call         // whose threads are stopped before them, in the order of the programs' starts
	chosen   *call           // that the next key makes; nil if there is none
	made     *call           // that the last key has made
	killed   *ptrace.Process // that was killed last; nil if none was
	child    int             // the process that a program has made last; 0 if it is followed
	goal     goal            // whether calls are made without a key
	from     part.From
	asker    *ask.Asker                // nil if nothing is asked
	explains bool                      // whether the panel explains the call
	refusal  string                    // why the last key did nothing
	again    map[*ptrace.Thread]uint64 // the calls that a signal has interrupted: the kernel may make them again
	moved    bool                      // whether a call was made since the kernel was asked
	kernel   panel.Kernel              // what it holds, for the panel
	drawn    []string
}

// goal is how long calls are made without a key.
type goal int

const (
	eachCall   goal = iota // not at all: each call needs one
	firstCall              // until the first that the person wants to see is next
	connection             // until accept has returned a connection
)

// errLeft means that nobody directs the programs any more: they go on by themselves.
var errLeft = errors.New("left")

// newPerson prepares for a person who directs.
func (w *watcher) newPerson(from part.From) (*person, error) {
	bell, err := ptrace.NewBell()
	if err != nil {
		return nil, err
	}
	d := &person{watcher: w, bell: bell, asker: w.trace.Asker(), again: make(map[*ptrace.Thread]uint64), from: from}
	if len(from) > 0 {
		d.goal = firstCall
	}
	d.keys = keys.Open(func() { w.trace.SetPanel(nil) })
	if d.keys.IsWide() {
		w.trace.SetASCII()
	}
	d.keys.StopAt(bell.FD)
	if watch, err := sockets.OpenFor(); err == nil {
		d.watch = watch
	}
	return d, nil
}

// direct directs the programs until none is left, or nobody directs them any more.
func (d *person) direct() error {
	for d.Len() > 0 {
		if d.bell.Arm() || d.moved || d.stirred.IsZero() {
			d.stirred = time.Now()
			if err := d.settle(); err != nil {
				return err
			}
		}
		d.look()
		d.asker.Settled()
		if d.goal == firstCall && d.canMove() && d.from.Has(d.chosen.preview.Name()) {
			d.goal = eachCall
		}
		var err error
		switch {
		case d.leaving.Load():
			return errLeft
		case d.canMove() && d.goal != eachCall:
			d.move()
		case !d.canMove() && d.patience() >= 0 && time.Since(d.stirred) >= d.patience():
			d.idle()
			d.stirred = time.Now()
		default:
			err = d.press(d.key())
		}
		if err != nil {
			return err
		}
	}
	return errLeft
}

// hold keeps a thread stopped before its call. One that the kernel makes again after a
// signal, such as SIGWINCH to all that a terminal's window has, needs no other key.
//
// Source: signal(7), "Interruption of system calls and library functions by signal handlers".
func (d *person) hold(c *call) {
	if number, again := d.again[c.thread]; again {
		delete(d.again, c.thread)
		if number == c.thread.Call.Number {
			c.preview = d.eventOf(c)
			d.begin(c)
			d.Resume(c.thread, true)
			return
		}
	}
	c.preview = d.eventOf(c)
	d.held = append(d.held, c)
	slices.SortFunc(d.held, inOrder)
}

// settle takes what the programs do until they wait: for a key, or in the kernel. Then it
// waits, for a moment, until all that was sent is acknowledged.
func (d *person) settle() error {
	const (
		often   = 2 * time.Millisecond
		longest = 300 * time.Millisecond // a delayed acknowledgement takes 40 ms, mostly
		scripts = 10 * time.Second       // on a busy machine a program may get no processor for a while
	)
	limit, acts := longest, time.Now()
	if !d.keys.Interactive() {
		limit = scripts
	}
	var back []ptrace.Stop // threads whose calls have returned: they wait until all have that can
	still := false         // whether no thread ran a moment ago: then the last one may have stopped since Next was called
	for began := time.Now(); d.Len() > 0; {
		patience := often
		if still {
			patience = 0
		}
		stop, err := d.Next(patience)
		if stop.What != ptrace.Idle {
			d.hide()
			acts = time.Now()
		}
		confirmed := still && stop.What == ptrace.Idle
		still = false
		switch {
		case err != nil:
			return err
		case stop.What == ptrace.Returns && d.begun[stop.Thread] != nil:
			back = append(back, stop)
			continue
		case stop.What != ptrace.Idle:
			d.take(stop)
			if err := d.startNext(); err != nil {
				return err
			}
			continue
		}
		late := d.leaving.Load() || time.Since(began) > limit
		switch {
		case !late && (d.AnyRuns() || d.processes[d.killed] != nil || d.awaitsChild()):
		case !late && !confirmed:
			still = true
		case len(back) > 0:
			d.takeInOrder(back)
			back = back[:0]
		case late || time.Since(acts) > longest || d.isSettled():
			return nil
		}
	}
	return nil
}

// takeInOrder lets calls return that the kernel has answered: first the one that was made
// last, and then those that have waited for it, in the order of the programs. Otherwise the
// scheduler would choose, and the diagram would be another one in each run.
func (d *person) takeInOrder(back []ptrace.Stop) {
	slices.SortFunc(back, func(x, y ptrace.Stop) int {
		c, other := d.begun[x.Thread], d.begun[y.Thread]
		return cmp.Or(btoi(c != d.made)-btoi(other != d.made), inOrder(c, other))
	})
	for _, stop := range back {
		d.take(stop)
	}
}

// inOrder compares two calls by the order of their programs.
func inOrder(x, y *call) int {
	return cmp.Or(cmp.Compare(x.of.number, y.of.number), cmp.Compare(x.thread.ID, y.thread.ID))
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// isSettled reports whether all that the programs' connections have sent is acknowledged, or
// waits for a peer that has no room.
func (d *person) isSettled() bool {
	for _, s := range d.memory.Held() {
		if d.watch == nil || s.Descriptor < 0 || s.Remote.Port() == 0 {
			continue
		}
		if settled, _, err := d.watch.Settled(s.Local, s.Remote); err == nil && !settled {
			return false
		}
	}
	return true
}

// look shows what has happened, and asks the kernel what it holds: for all that it holds
// after a call, and otherwise as often as that does not take much time.
func (d *person) look() {
	d.trace.Look()
	if d.watch == nil {
		return
	}
	ask := d.watch.Poll
	if d.moved {
		ask = d.watch.All
	}
	d.moved = false
	for p := range d.processes {
		d.watch.AddProcess(p.ID)
	}
	for _, s := range d.sockets {
		if s != nil && s.port != 0 {
			d.watch.Follow(s.port)
		}
	}
	if changes, err := ask(); err == nil {
		d.memory.Note(changes)
	}
}

// canMove reports whether a thread is held before its call, and chooses one if none is.
func (d *person) canMove() bool {
	if !slices.Contains(d.held, d.chosen) {
		d.chosen = nil
		if len(d.held) > 0 {
			d.chosen = d.held[0]
		}
	}
	return d.chosen != nil
}

// move makes the chosen call.
func (d *person) move() {
	c := d.chosen
	d.refusal, d.explains, d.moved, d.chosen, d.made = "", false, true, nil, c
	d.kernel.Calls(&d.memory, d.owner)
	d.held = slices.DeleteFunc(d.held, func(other *call) bool { return other == c })
	d.hide()
	d.asker.Begins()
	d.begin(c)
	d.Resume(c.thread, true)
}

// hide takes the panel off a terminal before a program goes on: what that prints would be
// mixed up with it.
func (d *person) hide() {
	if d.keys.Interactive() && d.drawn != nil {
		d.drawn = nil
		d.trace.SetPanel(nil)
	}
}

// returned notes what a call has returned.
func (d *person) returned(c *call, e *event.Event) {
	d.look()
	d.memory.Returned(e)
	if c == d.made {
		d.asker.Returned(e)
	}
	const restartBlock = -516 // linux/errno.h: restart_syscall(2) makes it again
	if e.NeverReturned() && c.thread.Result != restartBlock {
		d.again[c.thread] = c.thread.Call.Number
	}
	if c.does.Effect == others.Forks && e.Result > 0 {
		d.child = e.Result
	}
	if c.does.Effect == event.Accepts && e.Result >= 0 {
		d.goal = eachCall
	}
}

// awaitsChild reports whether the child that was made last has not stopped for the first time
// yet: it has its parent's descriptors, and nothing else is known of it.
func (d *person) awaitsChild() bool {
	for p := range d.processes {
		if p.ID == d.child {
			d.child = 0
		}
	}
	return d.child != 0 && unix.Kill(d.child, 0) == nil
}

// gone forgets the call of a thread that has ended.
func (d *person) gone(t *ptrace.Thread) {
	d.held = slices.DeleteFunc(d.held, func(c *call) bool { return c.thread == t })
	delete(d.again, t)
	if d.watch != nil && t.ID == t.Process.ID {
		d.watch.RemoveProcess(t.ID)
	}
	if t.ID == d.child {
		d.child = 0
	}
}

// key shows the panel, and returns the next key, or None if a program has done something, or
// what the kernel holds may be another. A script's keys wait until there is a call to make.
func (d *person) key() keys.Key {
	const often = 100 * time.Millisecond
	can := d.canMove()
	d.draw(can)
	if !can && !d.keys.Interactive() {
		unix.Poll([]unix.PollFd{{Fd: int32(d.bell.FD), Events: unix.POLLIN}}, int(often/time.Millisecond))
		return keys.None
	}
	return d.keys.Next(often)
}

// press does what a key asks for.
func (d *person) press(k keys.Key) error {
	switch k {
	case keys.None:
		return nil
	case keys.End:
		return errLeft
	case keys.Redraw:
		d.drawn = nil
		return nil
	}
	d.refusal = ""
	switch {
	case k == '\n' || k == '\r' || d.asker.Answer(int(k)):
		if d.canMove() {
			d.move()
		} else {
			d.refusal = "no program is about to make a call now"
		}
	case k == '\t' && d.asker != nil && d.canMove():
		d.chosen = d.held[(slices.Index(d.held, d.chosen)+1)%len(d.held)]
	case k >= '1' && k <= '9' && d.asker == nil:
		if n := int(k - '1'); n < len(d.held) {
			d.chosen = d.held[n]
		} else {
			d.refusal = fmt.Sprintf("there is no %c in the list", rune(k))
		}
	case k == 's':
		d.choose(event.Server)
	case k == 'c':
		d.choose(event.Client)
	case k == 'r':
		d.goal = connection
	case k == 'R':
		return errLeft
	case k == 'x':
		d.kill()
	case k == '?':
		d.explains = !d.explains
	case k == 'q' || k == '\x03':
		d.quit()
		return errLeft
	case k > ' ':
		d.refusal = fmt.Sprintf("%q is no key here", rune(k))
	}
	return nil
}

// choose lets the first program of a side that is held make its call next.
func (d *person) choose(side event.Side) {
	i := slices.IndexFunc(d.held, func(c *call) bool { return c.preview.Side == side })
	if i < 0 {
		d.refusal = "no " + side.String() + " is about to make a call now"
		return
	}
	d.chosen = d.held[i]
}

// kill ends the program whose call is next, as kill -9 does.
func (d *person) kill() {
	waiting := d.waiting()
	switch {
	case d.attached:
		d.refusal = "x kills no program that was running before"
		return
	case d.canMove():
		d.killed = d.chosen.of.Process
	case len(waiting) > 0:
		d.killed = waiting[0].of.Process
	default:
		d.refusal = "no program is about to make a call now"
		return
	}
	d.moved = true
	unix.Kill(d.killed.ID, unix.SIGKILL)
}

// quit asks the programs that this one has started to end. One that was running before goes
// on as it was.
func (d *person) quit() {
	if d.attached {
		d.leave()
		d.Leave()
		d.left()
	}
	d.asked = true
	for p := range d.processes {
		unix.Kill(p.ID, unix.SIGTERM)
	}
}

// leave lets all programs go on without a key, and gives the terminal back as it was.
func (d *person) leave() {
	d.keys.Close()
	d.bell.Close()
	d.trace.SetPanel(nil)
	for _, c := range d.held {
		d.begin(c)
		d.Resume(c.thread, true)
	}
	d.held = nil
}
