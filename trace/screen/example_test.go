package screen_test

import (
	"os"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/trace/layout"
	"lbaws/trace/output"
	"lbaws/trace/screen"
	"lbaws/trace/tracer"
)

func ExampleNewDiagram() {
	out := output.New(int(os.Stdout.Fd()), "standard output", func(error) {})
	diagram := screen.NewDiagram(layout.Columns{Limit: 32}, 60, false)
	t := tracer.New(sys.Unix{}, tracer.Sink{Format: diagram, Output: out})

	t.Socket(-1, unix.SOCK_STREAM, unix.IPPROTO_IP)
	t.End()
	// Output:
	// CLIENT              SERVER
	//                     # a new socket: no address and no peer
	//                     # yet
	//              socket(-1, SOCK_STREAM, IPPROTO_IP) = -1
	//                EAFNOSUPPORT (Address family not supported b…
}
