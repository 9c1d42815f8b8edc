package page

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/trace/event"
)

// meaning says in two sentences what a call does, when it begins, or has done, when it
// has returned. note is what the diagram says of the call; "" if that is nothing.
func meaning(e *event.Event, returned bool, note string) string {
	switch does := e.Call.Does; {
	case !returned:
		return sentences(note, e.Call.Until)
	case e.Failed():
		return fmt.Sprintf("The call has failed with %s: %s. It returned -1, and errno says why.", sys.ErrnoName(e.Errno), e.Errno.Error())
	case does == event.Sets && e.Args[2].Int == unix.SO_REUSEADDR:
		note = "the next bind may take the port, even if old connections on it are in TIME_WAIT"
	case does == event.Closes && note == "":
		note = "no FIN is sent"
	case does == event.Sets, does == event.ShutsDown, does == event.Closes: // what they have done is what was said before
	case does != event.Else && does != event.Sleeps:
		note = ""
	case e.Recorded != nil && note == "":
		note = e.Recorded.Note
	}
	if e.Call.Done == nil {
		return sentences(note, "")
	}
	return sentences(note, e.Call.Done(e))
}

// sentences makes a sentence of a note, if there is one, and appends others.
func sentences(note, others string) string {
	if note == "" {
		return others
	}
	return strings.TrimSuffix(strings.ToUpper(note[:1])+note[1:]+". "+others, " ")
}
