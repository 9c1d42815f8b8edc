package turns_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"lbaws/trace/event"
	"lbaws/trace/tracetest"
)

func TestMain(m *testing.M) { tracetest.Main(m) }

// TestDemoIsTrue takes the calls and the segments of a connection without the
// program's help, and finds each of them in the diagram, once, in an order in
// which they can have happened; and nothing else.
func TestDemoIsTrue(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	for _, addr := range []string{"127.0.0.1:", ":", "[::1]:"} {
		t.Run(addr, func(t *testing.T) {
			port, dir := tracetest.FreePort(t), t.TempDir()
			w := tracetest.ListenOnWire(t, port)
			theirs, ours := filepath.Join(dir, "strace"), filepath.Join(dir, "diagram")
			// It is made to believe that it is in a namespace of its own, so that the
			// test's capture sees its segments.
			wrap := append(tracetest.Straced(t, theirs, "-f"), "sh", "-c",
				`mkfifo `+dir+`/pipe && LBAWS_IN_NAMESPACE=3 exec "$0" "$@" 3<>`+dir+`/pipe`)
			p := tracetest.Launch(t, wrap, "demo", "-addr", addr+port, "-o", ours)
			p.Succeed()
			text, _ := os.ReadFile(ours)
			rows := tracetest.ReadDiagram(string(text))
			tracetest.CheckDemo(t, rows)
			drawn, passed := tracetest.Captured(t, rows), w.Labels()
			tracetest.CheckAcknowledgements(t, drawn)
			slices.Sort(drawn)
			slices.Sort(passed)
			tracetest.Compare(t, drawn, passed)
			if !strings.Contains(addr, "[") {
				server, client := tracetest.SidesUnderStrace(tracetest.ReadLines(t, theirs))
				// Between bind and listen the capture is opened, on this thread.
				server = slices.Delete(server, slices.Index(server, "bind = 0")+1, slices.Index(server, "listen = 0"))
				tracetest.Compare(t, tracetest.CallsOf(rows, event.Server), server)
				tracetest.Compare(t, tracetest.CallsOf(rows, event.Client), client)
			}
			if t.Failed() {
				t.Logf("\n%s", text)
			}
		})
	}
}

// TestDemoWithoutRights: a user without rights sees the segments too, in a
// network namespace of the program's own; and where that is not allowed, the
// diagram says so, and draws what the calls imply.
func TestDemoWithoutRights(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	wrap := tracetest.Unprivileged(t)
	p := tracetest.Launch(t, wrap, "demo", "-addr", "127.0.0.1:0")
	if !tracetest.HasOwnNetwork(wrap) {
		checkImplied(t, p)
		return
	}
	p.Succeed()
	rows := tracetest.ReadDiagram(p.Stderr.String())
	tracetest.CheckDemo(t, rows)
	tracetest.Captured(t, rows)

	// The kernel allows no namespace; or one without rights in it, as some systems
	// give it: there the loopback interface cannot be brought up.
	checkImplied(t, tracetest.Launch(t, []string{tracetest.Need(t, "unshare", "util-linux"), "--user", "--map-root-user", "sh", "-c",
		`echo 0 >/proc/sys/user/max_user_namespaces && echo 0 >/proc/sys/user/max_net_namespaces && exec "$0" "$@"`},
		"demo", "-addr", "127.0.0.1:0"))
	wrap = append(wrap, tracetest.Straced(t, "/dev/null", "-f", "-e", "inject=ioctl:error=EPERM")...)
	checkImplied(t, tracetest.Launch(t, wrap, "demo", "-addr", "127.0.0.1:0"))
}

// checkImplied checks the figure of a demo without segments.
func checkImplied(t *testing.T, p *tracetest.Process) {
	t.Helper()
	p.Succeed()
	if n := strings.Count(p.Stderr.String(), "AF_PACKET: EPERM"); n != 1 {
		t.Errorf("%d lines on why there are no segments in\n%s", n, p.Stderr)
	}
	rows := tracetest.ReadDiagram(p.Stderr.String())
	drawn := tracetest.Implied(t, rows)
	if names := tracetest.CallsOf(rows, event.Client); len(names) != 6 {
		t.Errorf("the client's calls are %q", names)
	}
	// The request's length depends on the port's.
	want := []string{"SYN, SYN+ACK, ACK", "65 bytes", "33 bytes", "FIN", "FIN"}
	if len(drawn) > 1 && drawn[1] == "64 bytes" {
		want[1] = drawn[1]
	}
	if !slices.Equal(drawn, want) {
		t.Errorf("implied %q, want %q", drawn, want)
	}
}

// TestDemoHasItsOwnNamespace: whatever is shown, nobody else can take part in a
// demo, and nobody has its port.
func TestDemoHasItsOwnNamespace(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	tracetest.NeedCapture(t)
	port := tracetest.FreePort(t)
	other := tracetest.Start(t, nil, "-addr", "127.0.0.1:"+port)
	for _, flags := range []string{"-trace=strace", "-trace=off", "-segments=false", "-sockets"} {
		p := tracetest.Launch(t, nil, "demo", "-addr", "127.0.0.1:"+port, flags)
		p.Succeed()
	}
	other.Get()
	// The variable by which the program knows that it is in its namespace does not
	// deceive it if it is set by hand.
	for _, value := range []string{"", "x", "3", "$$ x"} {
		p := tracetest.LaunchCommand(t, "sh", "-c", `LBAWS_IN_NAMESPACE="`+value+`" "$0" demo -trace=strace -addr 127.0.0.1:`+port, tracetest.Binary(t))
		if status := p.Status(); status != 0 || !strings.Contains(p.Stderr.String(), "accept(3, ") {
			t.Errorf("%q: status %d: %s", value, status, p.Stderr)
		}
	}
}

// TestInterruptedDemo: a signal to the program ends both ends, also before the
// server accepts, or while a call takes its time. No picture is left, whole or
// not.
func TestInterruptedDemo(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	for call, before := range map[string]string{"listen": "bind", "accept": "accept", "connect": "connect"} {
		t.Run(call, func(t *testing.T) {
			t.Parallel()
			wrap, dir := tracetest.Straced(t, "/dev/null", "-f", "-e", "inject="+call+":delay_enter=2000000"), t.TempDir()
			p := tracetest.Launch(t, wrap, "demo", "-addr", "127.0.0.1:0", "-trace=json", "-pictures", dir)
			p.Stderr.WaitFor(t, `"call":"`+before)
			pids := tracetest.Children(p.Cmd.Process.Pid)
			syscall.Kill(pids[0], syscall.SIGTERM)
			p.Status()
			if strings.Contains(p.Stderr.String(), "start the server first") {
				t.Errorf("%s", p.Stderr)
			}
			if files, err := os.ReadDir(dir); err != nil || len(files) > 0 {
				t.Errorf("%v, %v", files, err)
			}
			for _, pid := range pids {
				if syscall.Kill(pid, 0) == nil {
					t.Errorf("process %d still runs", pid)
				}
			}
		})
	}
}
