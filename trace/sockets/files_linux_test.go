package sockets

import (
	"net"
	"net/netip"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// TestAwaitDescriptors: a socket that accept is about to return has an inode, and its
// descriptor a moment later. It is looked for again, but not that of a client's socket, or
// of one that had an inode before: those are another process's.
func TestAwaitDescriptors(t *testing.T) {
	table, err := openFiles(true)
	if err != nil {
		t.Fatal(err)
	}
	w := &Watch{files: table}
	w.Follow(8888)
	w.files.descriptor(1) // reads the table
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	inode := w.files.inode(0, fd)
	for _, c := range []struct {
		name   string
		port   uint16
		inode  uint32
		was    *Socket
		gone   bool
		wanted int
	}{
		{"a new one", 8888, inode, nil, false, fd},
		{"one that waited for accept", 8888, inode, &Socket{}, false, fd},
		{"one of another process", 8888, 1, nil, false, -1},
		{"one that had an inode", 8888, inode, &Socket{Inode: inode}, false, -1},
		{"a client's", 4000, inode, nil, false, -1},
		{"one that is gone", 8888, inode, &Socket{}, true, -1},
	} {
		socket := Socket{Local: netip.AddrPortFrom(netip.IPv4Unspecified(), c.port), Inode: c.inode, Descriptor: -1}
		h := &holding{Socket: socket}
		w.list = []Change{{Socket: socket, Was: c.was, Gone: c.gone, holding: h}}
		w.awaitDescriptors()
		if w.list[0].Descriptor != c.wanted || h.Descriptor != c.wanted {
			t.Errorf("%s: descriptor %d, and %d, want %d", c.name, w.list[0].Descriptor, h.Descriptor, c.wanted)
		}
	}
}

// TestKnownDescriptors: once it is known which descriptors of another process lead where, its
// other descriptors cost nothing.
func TestKnownDescriptors(t *testing.T) {
	var costs [2]float64
	for i, others := range []int{10, 500} {
		s := newClosesFirst(t)
		client, server := s.connect(0)
		w, err := OpenFor(os.Getpid())
		if err != nil {
			t.Fatal(err)
		}
		w.Follow(uint16(s.Addr().(*net.TCPAddr).Port))
		for range others {
			file, err := os.Open("/dev/null")
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
		}
		ask := func() {
			if _, err := w.Ask(0, -1); err != nil {
				t.Fatal(err)
			}
		}
		ask()
		if len(w.live) != 3 {
			t.Fatalf("%d sockets", len(w.live))
		}
		w.dumps[notOver].took = 1 << 40
		costs[i] = testing.AllocsPerRun(10, ask)
		client.Close()
		server.Close()
	}
	if costs[1] > 2*costs[0] {
		t.Errorf("%v allocations, and beside many descriptors %v", costs[0], costs[1])
	}
}

// TestClosedDescriptor: another process's descriptor that was closed is not taken for known,
// and what is left of them is found; a process that is removed has none.
func TestClosedDescriptor(t *testing.T) {
	table, err := openFiles(false)
	if err != nil {
		t.Fatal(err)
	}
	table.addProcess(os.Getpid())
	table.addProcess(os.Getpid())
	first, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	second, err := unix.FcntlInt(uintptr(first), unix.F_DUPFD_CLOEXEC, 100)
	if err != nil {
		t.Fatal(err)
	}
	inode := table.inode(os.Getpid(), first)
	check := func(want int) {
		t.Helper()
		table.begin()
		if holder, fd := table.descriptor(inode); fd != want || fd >= 0 && holder != os.Getpid() {
			t.Errorf("descriptor %d of %d, want %d", fd, holder, want)
		}
	}
	check(first)
	unix.Close(first)
	check(second)
	table.removeProcess(os.Getpid())
	check(-1)
	unix.Close(second)
}
