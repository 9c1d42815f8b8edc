// Package tracetest has what the tests of several packages need: the built
// program and what wraps it, screens to wait for, strace's lines, clients, the
// reading of a diagram, and a capture that has nothing of package wire's.
package tracetest

import (
	"flag"
	"os"
	"testing"
	"time"
)

// Main runs the tests of a package: in a network namespace of its own where the
// kernel allows one, so that there are no foreign segments and no port that
// somebody else has. When they are over, or after Limit, whatever they have
// started is ended.
func Main(m *testing.M) {
	flag.Parse()
	for name, value := range map[string]string{"LC_ALL": "C.UTF-8", "LANGUAGE": "", "TZ": "UTC", "SHELL": "/bin/bash"} {
		os.Setenv(name, value) // strace, bash and others would speak the user's language, and tmux run the user's shell
	}
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue {
		f.Value.Set("8") // most tests wait
	}
	status, done := runInNamespace(limit())
	if !done {
		status = m.Run()
		os.RemoveAll(binaryFolder())
	}
	os.Exit(status)
}

// Patience is how long a test waits for what must happen. It is no measurement:
// only a test that fails takes so long.
const Patience = time.Minute

// limit returns how long the tests of a package may take: a little less than two
// minutes, if the user has not asked for benchmarks, or for another time.
func limit() time.Duration {
	timeout := flag.Lookup("test.timeout").Value.(flag.Getter).Get().(time.Duration)
	for _, name := range []string{"test.bench", "test.fuzz"} {
		if flag.Lookup(name).Value.String() != "" {
			return timeout
		}
	}
	if timeout == 10*time.Minute || timeout == 0 { // go test's own
		return 110 * time.Second
	}
	return timeout
}
