package spell_test

import (
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"lbaws/trace/strace/spell"
)

// here is the architecture for which the test was built.
func here(t testing.TB) uint32 {
	for _, arch := range []uint32{unix.AUDIT_ARCH_X86_64, unix.AUDIT_ARCH_AARCH64, unix.AUDIT_ARCH_ARM, unix.AUDIT_ARCH_RISCV64} {
		if len(spell.Numbers(arch)) > 0 {
			return arch
		}
	}
	t.Fatal("no calls are known here")
	return 0
}

// number is that of a call.
func number(t testing.TB, arch uint32, name string) uint64 {
	for _, n := range spell.Numbers(arch) {
		if found, _ := spell.Name(arch, uint64(n)); found == name {
			return uint64(n)
		}
	}
	t.Fatalf("no call %s", name)
	return 0
}

// wild is memory whose bytes are pointers to it and small numbers, or cannot be read.
type wild struct {
	random *rand.Rand
	fails  int // one read of so many fails; 0: none
}

func (m *wild) ReadAt(p []byte, addr uint64) int {
	if m.fails > 0 && m.random.IntN(m.fails) == 0 {
		return m.random.IntN(len(p) + 1)
	}
	for i := range p {
		p[i] = byte(m.random.IntN(4) * m.random.IntN(2))
		if m.random.IntN(8) == 0 {
			p[i] = byte(m.random.IntN(256))
		}
	}
	return len(p)
}

// TestWildCalls: a program may give any arguments, and any bytes to them, and they may be
// others when the call returns.
func TestWildCalls(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var c spell.Call
	for _, arch := range []uint32{here(t), unix.AUDIT_ARCH_I386} {
		numbers := spell.Numbers(arch)
		for range 20000 {
			if len(numbers) == 0 {
				break
			}
			m := &wild{random: random, fails: random.IntN(20)}
			spellWild(t, &c, arch, uint64(numbers[random.IntN(len(numbers))]), m)
		}
	}
}

func spellWild(t *testing.T, c *spell.Call, arch uint32, number uint64, m *wild) {
	var args [6]uint64
	for i := range args {
		args[i] = wildNumber(m.random)
	}
	if !c.Begin(arch, number, args, m) {
		t.Fatalf("%d is not known", number)
	}
	result := int64(wildNumber(m.random))
	if m.random.IntN(2) == 0 {
		result = -m.random.Int64N(600)
	}
	limit := m.random.IntN(40)
	b := c.AppendBegin(nil, m, limit)
	b = c.AppendRest(b, result, m, limit)
	b = c.AppendResult(b, result, m, limit)
	const most = 8 << 20 // a set of a million descriptors
	if len(b) > most {
		t.Errorf("%s has %d bytes", c.Name, len(b))
	}
	for i, octet := range b {
		if octet < ' ' || octet > '~' {
			t.Fatalf("%s: byte %d of %q", c.Name, i, b)
		}
	}
}

// wildNumber is often small, or nearly a power of two.
func wildNumber(random *rand.Rand) uint64 {
	switch random.IntN(4) {
	case 0:
		return random.Uint64N(200)
	case 1:
		return uint64(1)<<random.IntN(64) - random.Uint64N(3)
	case 2:
		return -random.Uint64N(200)
	}
	return random.Uint64()
}

// still is memory that cannot be read but for what is in it.
type still struct {
	at uint64
	b  []byte
}

func (m *still) ReadAt(p []byte, addr uint64) int {
	if addr < m.at || addr > m.at+uint64(len(m.b)) {
		return 0
	}
	return copy(p, m.b[addr-m.at:])
}

// TestInterrupted: what a call is that a signal has interrupted only a tracer sees.
// Source: strace 6.1 of sleep(1), stopped and continued.
func TestInterrupted(t *testing.T) {
	arch := here(t)
	m := &still{at: 0x1000, b: make([]byte, 64)}
	binary.LittleEndian.PutUint64(m.b, 7)
	binary.LittleEndian.PutUint64(m.b[8:], 5)
	var c spell.Call
	for _, call := range []struct {
		name       string
		args       [6]uint64
		result     int64
		begin, end string
	}{
		{"nanosleep", [6]uint64{0x1000, 0x1000}, -516, "{tv_sec=7, tv_nsec=5}, ", "{tv_sec=7, tv_nsec=5}) = ? ERESTART_RESTARTBLOCK (Interrupted by signal)"},
		{"restart_syscall", [6]uint64{}, 0, "<... resuming interrupted nanosleep ...>", ") = 0"},
		{"clock_nanosleep", [6]uint64{0, 1, 0x1000, 0x1000}, -514, "CLOCK_REALTIME, TIMER_ABSTIME, {tv_sec=7, tv_nsec=5}, ", "0x1000) = ? ERESTARTNOHAND (To be restarted if no handler)"},
		{"read", [6]uint64{3, 0x1000, 8}, -512, "3, ", "0x1000, 8) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)"},
		{"accept4", [6]uint64{3, 0, 0, 0x800}, -513, "3, NULL, NULL, SOCK_NONBLOCK", ") = ? ERESTARTNOINTR (To be restarted)"},
		{"close", [6]uint64{3}, -4000, "3", ") = -1 (errno 4000)"},
	} {
		c.Begin(arch, number(t, arch, call.name), call.args, m)
		begin := string(c.AppendBegin(nil, m, 32))
		end := append(c.AppendRest(nil, call.result, m, 32), ") = "...)
		end = c.AppendResult(end, call.result, m, 32)
		if begin != call.begin || string(end) != call.end {
			t.Errorf("%s(%s%s\nwant %s(%s%s", call.name, begin, end, call.name, call.begin, call.end)
		}
	}
}

// TestUnknown: a call that the package does not know is not spelled.
func TestUnknown(t *testing.T) {
	var c spell.Call
	for _, arch := range []uint32{0, here(t), unix.AUDIT_ARCH_S390X} {
		if c.Begin(arch, 1<<40, [6]uint64{}, nil) {
			t.Error("there is no such call")
		}
	}
}

// BenchmarkCalls spells the calls of a server's conversation.
func BenchmarkCalls(b *testing.B) {
	arch := here(b)
	m := &still{at: 0x1000, b: []byte("GET / HTTP/1.1\r\nHost: localhost\r\n" + strings.Repeat("\x00", 100))}
	copy(m.b[64:], "\x02\x00\xcb\x4c\x7f\x00\x00\x01")
	m.b[96] = 16
	for _, call := range []struct {
		name   string
		args   [6]uint64
		result int64
	}{
		{"accept4", [6]uint64{3, 0x1040, 0x1060, 0x80000}, 4},
		{"recvfrom", [6]uint64{4, 0x1000, 60, 0, 0, 0}, 33},
		{"sendto", [6]uint64{4, 0x1000, 60, 0x4000, 0, 0}, 60},
		{"read", [6]uint64{4, 0x1000, 60}, -11},
	} {
		b.Run(call.name, func(b *testing.B) {
			var c spell.Call
			text := make([]byte, 0, 4096)
			n := number(b, arch, call.name)
			b.ReportAllocs()
			for range b.N {
				c.Begin(arch, n, call.args, m)
				text = c.AppendBegin(text[:0], m, 32)
				text = c.AppendRest(text, call.result, m, 32)
				text = c.AppendResult(text, call.result, m, 32)
			}
			if b.N > 1 && testing.AllocsPerRun(100, func() {
				c.Begin(arch, n, call.args, m)
				text = c.AppendBegin(text[:0], m, 32)
				text = c.AppendRest(text, call.result, m, 32)
				text = c.AppendResult(text, call.result, m, 32)
			}) > 0 {
				b.Error("it allocates")
			}
		})
	}
}
