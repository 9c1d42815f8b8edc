// Package ask asks what a call will do, and holds the answer against what it then does.
package ask

import (
	"cmp"
	"flag"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/trace/event"
	"lbaws/trace/predict"
)

// Flag defines the flag -ask, which implies -step.
func Flag(flags *flag.FlagSet, asks, steps *bool) {
	flags.BoolFunc("ask", "ask what each call will do before it is made; implies -step and -segments",
		func(value string) (err error) {
			*asks, err = strconv.ParseBool(value)
			*steps = *steps || *asks
			return err
		})
}

// Question is what is asked of a call that is about to begin.
type Question struct {
	does    event.Effect // of the call
	seen    bool         // whether the choices say what is sent
	Choices []Choice
}

// Choice is one of the answers. What such a call never waits for is never right.
type Choice struct {
	predict.Outcome
	never string // for what it is said to wait
}

// most is how many choices a question has at most.
const most = 4

// New returns what is asked of a call that does something: that is among the choices, and the
// others are what such a call might do, or is believed to. unread is how many bytes are, in
// the call's socket; seen says whether it is seen what the call sends. The choices and their
// order depend on nothing else, and on the seed.
func New(e *event.Event, does predict.Outcome, unread int, seen bool, seed uint64) *Question {
	near, far := others(e, does, unread)
	if !seen {
		for _, choices := range [][]Choice{near, far} {
			for i := range choices {
				choices[i].Sends = predict.Unseen
			}
		}
	}
	name := fnv.New64()
	name.Write([]byte(e.Call.Name))
	random := rand.New(rand.NewPCG(seed, name.Sum64()))
	random.Shuffle(len(far), func(i, j int) { far[i], far[j] = far[j], far[i] })
	q := &Question{does: effect(e), seen: seen, Choices: []Choice{{Outcome: does}}}
	for _, c := range append(near, far...) {
		if len(q.Choices) < most && !slices.Contains(q.Choices, c) {
			q.Choices = append(q.Choices, c)
		}
	}
	random.Shuffle(len(q.Choices), func(i, j int) { q.Choices[i], q.Choices[j] = q.Choices[j], q.Choices[i] })
	return q
}

// Right is the place of the choice that says what a call does; -1 if none does.
func (q *Question) Right(does predict.Outcome) int {
	return slices.Index(q.Choices, Choice{Outcome: does})
}

// Texts are those of the choices.
func (q *Question) Texts() (texts []string) {
	for _, c := range q.Choices {
		texts = append(texts, c.text(q.does))
	}
	return texts
}

// effect is what a call does. One that peeks does what a read does, as far as it is asked about.
func effect(e *event.Event) event.Effect {
	if e.Recorded != nil && e.Recorded.Peeks {
		return event.Reads
	}
	return e.Call.Does
}

// others are the choices that a call's outcome stands among: those that are always offered,
// and those from which the rest is taken.
func others(e *event.Event, does predict.Outcome, unread int) (near, far []Choice) {
	fd := e.Args[0].Int
	waits := Choice{Outcome: predict.Outcome{Waits: true}}
	switch effect(e) {
	case event.Makes:
		lowest := cmp.Or(does.Result, 3)
		return []Choice{returns(lowest + 1)}, []Choice{returns(0), returns(lowest - 1), returns(lowest + 2), fails(unix.EMFILE)}
	case event.Binds:
		return []Choice{returns(0), fails(unix.EADDRINUSE)},
			[]Choice{never("until the port is free"), fails(unix.EINVAL), fails(unix.EACCES), fails(unix.EADDRNOTAVAIL)}
	case event.Listens:
		return []Choice{returns(0), never("for a connection")},
			[]Choice{returns(e.Args[1].Int), fails(unix.EADDRINUSE), fails(unix.EINVAL), returns(fd + 1)}
	case event.Accepts:
		return []Choice{waits, returns(fd + 1)}, []Choice{returns(fd), returns(0), fails(unix.EAGAIN), fails(unix.EINVAL), fails(unix.EMFILE)}
	case event.Connects:
		near, far = []Choice{returns(0), never("until the server calls accept")},
			[]Choice{fails(unix.ECONNREFUSED), fails(unix.ETIMEDOUT), fails(unix.EINPROGRESS), fails(unix.EISCONN)}
		if does.Errno != 0 { // one that returns at once has waited for it, too
			near = append(near, waits)
		}
		return near, far
	case event.Reads:
		near, far = []Choice{waits, returns(0)}, []Choice{returns(room(e)), fails(unix.EAGAIN), fails(unix.ECONNRESET), fails(unix.ENOTCONN)}
		if unread > 0 {
			far = append(far, returns(unread), returns(unread/2))
		}
		return near, far
	case event.Writes:
		n := room(e)
		return []Choice{sends(n, predict.Data), never("until they arrive")},
			[]Choice{waits, sends(n, predict.DataForRST), sends(n, predict.Nothing), fails(unix.EPIPE), fails(unix.ECONNRESET), sends(0, predict.Nothing)}
	}
	near, far = []Choice{sends(0, predict.FIN), sends(0, predict.RST), sends(0, predict.Nothing)}, []Choice{never("for the peer's FIN")}
	if effect(e) == event.ShutsDown {
		far = append(far, fails(unix.ENOTCONN))
	}
	return near, far
}

// room is the length of a call's buffer.
func room(e *event.Event) int {
	if e.IsOthers() { // of its buffer, only the beginning is known, if anything
		return e.Args[2].Int
	}
	return len(e.Args[1].Data)
}

func returns(n int) Choice          { return Choice{Outcome: predict.Outcome{Result: n}} }
func fails(errno unix.Errno) Choice { return Choice{Outcome: predict.Outcome{Errno: errno}} }
func never(what string) Choice {
	return Choice{Outcome: predict.Outcome{Waits: true}, never: what}
}
func sends(n int, what predict.Sent) Choice {
	return Choice{Outcome: predict.Outcome{Result: n, Sends: what}}
}

// waitsFor is for what a call waits, if it does. A connect waits for the peer's kernel, and not
// for its program.
var waitsFor = map[event.Effect]string{
	event.Accepts: "for a connection", event.Connects: "for a SYN+ACK", event.Reads: "for bytes or a FIN",
	event.Writes: "for room to send",
}

// sent says what goes out.
var sent = map[predict.Sent]string{
	predict.Nothing: ", nothing sent", predict.Data: ", sent", predict.DataForRST: ", and a RST comes",
	predict.FIN: ", FIN sent", predict.RST: ", RST sent",
}

// text says a choice in a few words.
func (c *Choice) text(does event.Effect) string {
	switch {
	case c.Waits:
		return "waits " + cmp.Or(c.never, waitsFor[does])
	case c.Errno != 0:
		return "fails, " + sys.ErrnoName(c.Errno)
	}
	return fmt.Sprintf("returns %d%s", c.Result, sent[c.Sends])
}

// Columns is how long a line below a call's name is at most: a terminal of 80 columns has
// room for it.
const Columns = 66

// Lines are the question and its choices, each with its digit, in lines of so many columns at
// the most.
func (q *Question) Lines(columns int) (lines []string) {
	line := "what will it do?"
	for i, text := range q.Texts() {
		text = fmt.Sprintf("%d %s", i+1, text)
		if len(line)+3+len(text) > columns {
			lines = append(lines, line)
			line = text
			continue
		}
		line += "   " + text
	}
	return append(lines, line)
}

// Wrapped divides words into lines of so many columns at most.
func Wrapped(text string, columns int) (lines []string) {
	if text == "" {
		return nil
	}
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(line)+1+len(word) > columns {
			lines = append(lines, line)
			line = ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return append(lines, line)
}
