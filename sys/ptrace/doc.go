// Package ptrace follows other programs through their system calls, with ptrace(2) and a
// seccomp filter: only the calls of the filter stop, and all others are made at full speed.
//
//	t := ptrace.New()
//	t.Start("/bin/cat", []string{"cat"}, os.Environ(), os.Stdin)
//	for t.Len() > 0 {
//		stop, err := t.Next(-1)
//		…
//		t.Continue(stop.Thread)
//	}
//
// Linux alone has it: elsewhere the package is empty.
package ptrace
