package event

import (
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"lbaws/sys"
)

// TestDone: what is said of a call that has succeeded holds for its arguments, and for a
// recorded program that did not ask for the address.
func TestDone(t *testing.T) {
	nobody := Arg{Addr: new(sys.Sockaddr)}
	for want, e := range map[string]*Event{
		"The connection has left the queue: ": {Call: Accept, Args: [5]Arg{{Int: 3}, nobody}, Result: 4},
		"There was no room":                   {Call: Read, Args: [5]Arg{{Int: 3}, {}, {Int: 0}}},
		"0 is end of file":                    {Call: Read, Args: [5]Arg{{Int: 3}, {}, {Int: 9}}},
		"No segment was sent.":                {Call: Setsockopt, Args: [5]Arg{{Int: 3}, {Int: unix.SOL_SOCKET}}},
		"":                                    {Call: Setsockopt, Args: [5]Arg{{Int: 3}, {Int: unix.IPPROTO_TCP}}},
	} {
		if got := e.Call.Done(e); !strings.HasPrefix(got, want) || want == "" && got != "" {
			t.Errorf("%s: %q, want %q", e.Call.Name, got, want)
		}
	}
}

// TestCalls: each call of sys.Kernel has an entry, each explanation its five lines, and
// each line fits into a panel.
func TestCalls(t *testing.T) {
	const widest = 72
	kernel := reflect.TypeFor[sys.Kernel]()
	if kernel.NumMethod() != len(Calls) {
		t.Errorf("%d calls, and %d entries", kernel.NumMethod(), len(Calls))
	}
	for i := range kernel.NumMethod() {
		name := strings.ToLower(kernel.Method(i).Name)
		call := Named(name)
		if call == nil {
			t.Errorf("%s has no entry", name)
			continue
		}
		for _, line := range call.Explained {
			if n := utf8.RuneCountInString(line); n == 0 || n > widest {
				t.Errorf("%s: %d columns: %s", name, n, line)
			}
		}
		if source := call.Explained[4]; !strings.HasPrefix(source, name+"(2)") {
			t.Errorf("%s: the source is %s", name, source)
		}
		if call.Does == Else || call.Waits != (call.Until != "") {
			t.Errorf("%s: does %d, waits: %t, until %q", name, call.Does, call.Waits, call.Until)
		}
	}
}
