package sockets_test

import (
	"bufio"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"lbaws/trace/sockets"
	"lbaws/trace/tracetest"
	"lbaws/trace/wire"
)

// puppet is another process, which does what the test says, in Python.
type puppet struct {
	t       *testing.T
	pid     int
	command *exec.Cmd
	tell    io.Writer
	answers *bufio.Scanner
}

// newPuppet starts a process. What its Python writes, it answers.
func newPuppet(t *testing.T) *puppet {
	t.Helper()
	const script = `import socket, os, sys
for line in sys.stdin: exec(eval(line)); print("", flush=True)`
	p := &puppet{t: t, command: exec.Command(tracetest.Python(t), "-ISc", script)}
	p.command.Stderr = os.Stderr
	tell, err := p.command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	answers, err := p.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	p.tell, p.answers, p.pid = tell, bufio.NewScanner(answers), p.command.Process.Pid
	t.Cleanup(p.kill)
	return p
}

func (p *puppet) kill() {
	p.command.Process.Kill()
	p.command.Wait()
}

// do has it do something, and returns what that writes as a number, or 0.
func (p *puppet) do(format string, args ...any) int {
	p.t.Helper()
	fmt.Fprintln(p.tell, strconv.QuoteToASCII(fmt.Sprintf(format, args...)))
	if !p.answers.Scan() {
		p.t.Fatalf("%q: it has ended", format)
	}
	n, _ := strconv.Atoi(p.answers.Text())
	return n
}

// serve has it listen, and returns its address.
func (p *puppet) serve() string {
	p.t.Helper()
	return fmt.Sprintf("127.0.0.1:%d", p.do(`l = socket.create_server(("127.0.0.1", 0)); print(l.getsockname()[1], end="")`))
}

// accept has it accept a connection, and returns its descriptor.
func (p *puppet) accept() int {
	p.t.Helper()
	return p.do(`c, _ = l.accept(); print(c.fileno(), end="")`)
}

// fork has it make a child, which has the same descriptors until it is told to end; and
// returns its number.
func (p *puppet) fork() int {
	p.t.Helper()
	return p.do("r, w = os.pipe()\nchild = os.fork()\nif child == 0:\n os.close(w); os.read(r, 1); os._exit(0)\nprint(child, end='')")
}

// endChild has the child end.
func (p *puppet) endChild() {
	p.t.Helper()
	p.do("os.write(w, b'x'); os.waitpid(child, 0)")
}

// meet makes a connection from the test to a puppet, which accepts it, and returns the
// addresses of the puppet's end, and its descriptor.
func meet(t *testing.T, p *puppet) (local, remote netip.AddrPort, fd int) {
	t.Helper()
	local = netip.MustParseAddrPort(p.serve())
	conn := tracetest.Dial(t, local.String())
	return local, netip.MustParseAddrPort(conn.LocalAddr().String()), p.accept()
}

// between returns what has changed in the socket with two addresses.
func between(changes []sockets.Change, local, remote netip.AddrPort) []sockets.Change {
	return slices.DeleteFunc(slices.Clone(changes), func(c sockets.Change) bool { return c.Local != local || c.Remote != remote })
}

// is checks that a socket has changed once, and what it is then.
func is(t *testing.T, changes []sockets.Change, state wire.State, pid, fd int) {
	t.Helper()
	if len(changes) == 1 && changes[0].State == wire.FinWait1 { // until its FIN is acknowledged
		changes[0].State = wire.FinWait2
	}
	if len(changes) != 1 || changes[0].Gone || changes[0].State != state || changes[0].Thread != pid || changes[0].Descriptor != fd {
		t.Fatalf("%+v, want one that is in %v, and descriptor %d of %d", changes, state, fd, pid)
	}
}

// TestOtherProcess: a watch for another process knows which of its descriptors lead where,
// and none of this one's.
func TestOtherProcess(t *testing.T) {
	p := newPuppet(t)
	local, remote, fd := meet(t, p)
	w := watch(t, func() (*sockets.Watch, error) { return sockets.OpenFor(p.pid) })
	w.Follow(local.Port())
	changes := w.ask(true)
	is(t, between(changes, local, remote), wire.Established, p.pid, fd)
	clients := between(changes, remote, local)
	if is(t, clients, wire.Established, 0, -1); !clients[0].Others || !w.IsOthers(remote, local) || w.IsOthers(local, remote) {
		t.Errorf("%+v", clients)
	}
	w.compare(local.Port())
	p.do("c.close()")
	changes = between(w.ask(true), local, remote)
	is(t, changes, wire.FinWait2, 0, -1)
	if !changes[0].Had || changes[0].Others {
		t.Errorf("%+v", changes)
	}
}

// TestSharedAfterFork: a socket that a child has too is its parent's, and the child's when
// the parent has closed it; nothing is lost with that. It is nobody's when the child ends.
func TestSharedAfterFork(t *testing.T) {
	p := newPuppet(t)
	local, remote, fd := meet(t, p)
	w := watch(t, func() (*sockets.Watch, error) { return sockets.OpenFor(p.pid) })
	w.Follow(local.Port())
	child := p.fork()
	w.AddProcess(child)
	is(t, between(w.ask(true), local, remote), wire.Established, p.pid, fd)
	p.do("c.close()")
	is(t, between(w.ask(false), local, remote), wire.Established, child, fd)
	if changes := between(w.ask(false), local, remote); len(changes) > 0 {
		t.Errorf("nothing has changed, and %+v", changes)
	}
	p.endChild()
	is(t, between(w.ask(false), local, remote), wire.FinWait2, 0, -1)
	w.RemoveProcess(child)
	w.ask(true)
	w.compare(local.Port())
}

// TestPassedDescriptor: a socket that one process sends to another one is that one's when
// the first has closed it.
func TestPassedDescriptor(t *testing.T) {
	p, q := newPuppet(t), newPuppet(t)
	local, remote, fd := meet(t, p)
	w := watch(t, func() (*sockets.Watch, error) { return sockets.OpenFor(p.pid, q.pid) })
	w.Follow(local.Port())
	is(t, between(w.ask(true), local, remote), wire.Established, p.pid, fd)
	name := t.TempDir() + "/socket"
	q.do("u = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); u.bind(%q)", name)
	p.do("u = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); u.connect(%q); socket.send_fds(u, [b'x'], [c.fileno()]); c.close()", name)
	if flying := between(w.ask(false), local, remote); len(flying) > 0 { // it is in the Unix socket's queue
		t.Errorf("it is lost while it is passed: %+v", flying)
	}
	got := q.do("f = socket.recv_fds(u, 9, 1)[1][0]; print(f, end='')")
	changes := between(w.ask(false), local, remote)
	if is(t, changes, wire.Established, q.pid, got); changes[0].Was.Thread != p.pid || changes[0].Was.Descriptor != fd {
		t.Errorf("before that it was %+v", changes[0].Was)
	}
}

// TestProcessEnds: that a process is killed is no error; its sockets are nobody's.
func TestProcessEnds(t *testing.T) {
	p := newPuppet(t)
	local, remote, _ := meet(t, p)
	w := watch(t, func() (*sockets.Watch, error) { return sockets.OpenFor(p.pid) })
	w.Follow(local.Port())
	w.ask(true)
	p.kill()
	changes := w.ask(true)
	is(t, between(changes, local, remote), wire.FinWait2, 0, -1)
	if !slices.ContainsFunc(changes, func(c sockets.Change) bool { return c.Gone && c.State == wire.Listen }) {
		t.Errorf("the listening socket is still there: %+v", changes)
	}
	w.AddProcess(1 << 30) // there is none
	w.ask(true)
	w.compare(local.Port())
}

// TestUnknownDescriptorOfAnother: the socket of another process's descriptor that nothing has
// announced is known when it is asked for, also if its port is not followed.
func TestUnknownDescriptorOfAnother(t *testing.T) {
	p := newPuppet(t)
	local, remote, fd := meet(t, p)
	w := watch(t, func() (*sockets.Watch, error) { return sockets.OpenFor(p.pid) })
	changes, err := w.Ask(p.pid, fd)
	if err != nil {
		t.Fatal(err)
	}
	if files, err := os.ReadFile("/proc/sys/kernel/yama/ptrace_scope"); err == nil && strings.TrimSpace(string(files)) > "1" {
		tracetest.Missing(t, "no process may see another's descriptors: sysctl kernel.yama.ptrace_scope=1")
	}
	is(t, between(changes, local, remote), wire.Established, p.pid, fd)
	for _, fd := range []int{0, 99} { // a pipe, and nothing
		if changes, err := w.Ask(p.pid, fd); err != nil || len(changes) > 0 {
			t.Errorf("descriptor %d: %v, %+v", fd, err, changes)
		}
	}
}
