package tracer_test

import (
	"net/netip"
	"os"

	"lbaws/sys"
	"lbaws/trace/output"
	"lbaws/trace/strace"
	"lbaws/trace/tracer"
)

func ExampleTracer() {
	out := output.New(int(os.Stdout.Fd()), "standard output", func(error) {})
	var kernel sys.Kernel = tracer.New(sys.Unix{}, tracer.Sink{Format: &strace.Writer{Limit: 4}, Output: out})

	kernel.Connect(-1, netip.MustParseAddrPort("127.0.0.1:8888"))
	kernel.Write(-1, []byte("Hello"))
	// Output:
	// connect(-1, {sa_family=AF_INET, sin_port=htons(8888), sin_addr=inet_addr("127.0.0.1")}, 16) = -1 EBADF (Bad file descriptor)
	// write(-1, "Hell"..., 5)                 = -1 EBADF (Bad file descriptor)
}
