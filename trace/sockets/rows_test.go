package sockets_test

import (
	"regexp"
	"strings"
	"testing"

	"lbaws/trace/tracetest"
)

// TestKernelThatCannotBeAsked: one line says so, and the calls go on.
func TestKernelThatCannotBeAsked(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	for _, format := range []string{"diagram", "json"} {
		wrap := tracetest.Straced(t, "/dev/null", "-e", "inject=socket:error=EAFNOSUPPORT:when=1")
		p := tracetest.Start(t, wrap, "-addr", "127.0.0.1:0", "-n", "1", "-sockets", "-trace="+format)
		p.Get()
		p.Status()
		why := regexp.MustCompile(`socket AF_NETLINK: EAFNOSUPPORT, address family not supported\s+(# )?by protocol`)
		if text := p.Stderr.String(); strings.Count(text, "EAFNOSUPPORT") != 1 || !why.MatchString(text) {
			t.Errorf("not one line that says why:\n%s", text)
		}
	}
}

// TestSocketsNeedNoRights: an ordinary user sees the same of both ends.
func TestSocketsNeedNoRights(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	p := tracetest.Start(t, tracetest.Unprivileged(t), "-addr", "127.0.0.1:0", "-sockets")
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"get", "-sockets", p.URL()}, []string{
			`▪ 3: ESTABLISHED`, `▪ 3: CLOSE_WAIT`, `▪ no descriptor any more: CLOSED`,
			` {48}▪ (another process's|no descriptor yet|no descriptor any more): `}},
		{[]string{"demo", "-sockets", "-addr", "127.0.0.1:0", "-segments=false"}, []string{
			` {48}▪ 3: LISTEN, accept queue 0 of 128`, `▪ 3: ESTABLISHED`, ` {48}▪ no descriptor any more: TIME_WAIT, 60 s left`}},
	} {
		q := tracetest.Launch(t, tracetest.Unprivileged(t), c.args...)
		q.Succeed()
		for _, want := range c.want {
			if !regexp.MustCompile(`(?m)^` + want).MatchString(q.Stderr.String()) {
				t.Errorf("%v: no row %q in\n%s", c.args, want, q.Stderr)
			}
		}
	}
	p.Stderr.WaitFor(t, ` ▪ 4: ESTABLISHED`)
	p.Stderr.WaitFor(t, ` ▪ no descriptor any more: TIME_WAIT, 60 s left`)
}
