//go:build darwin || freebsd || netbsd || openbsd

package sockets

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"lbaws/sys"
)

// asker asks nothing: this platform has no sock_diag.
type asker struct{}

func newAsker() (*asker, error) {
	return nil, sys.Fail("socket", "AF_NETLINK", unix.EAFNOSUPPORT)
}

func (*asker) all([]uint16, uint32) ([]Socket, error) { return nil, unix.EAFNOSUPPORT }

func (*asker) one(_, _ netip.AddrPort, _ uint32) (*Socket, error) { return nil, unix.EAFNOSUPPORT }

func (*asker) behind(int) (*Socket, error) { return nil, unix.EAFNOSUPPORT }

func (*asker) unsent(*Socket) (int, error) { return 0, unix.EAFNOSUPPORT }

func (*asker) close() {}

const statesListen, statesClosed, statesOver uint32 = 0, 0, 0

// AwaitReceived does nothing.
func AwaitReceived() {}

// files knows no descriptors.
type files struct{ own bool }

func openFiles(own bool) (*files, error) { return &files{own}, nil }

func (*files) begin() {}

func (*files) addThread(int) {}

func (*files) addProcess(int) {}

func (*files) removeProcess(int) {}

func (*files) isOthers(int) bool { return false }

func (*files) descriptor(uint32) (holder, fd int) { return 0, -1 }

func (*files) still(_, _ int, _ uint32) (holder, fd int) { return 0, -1 }

func (*files) inode(_, _ int) uint32 { return 0 }

// System returns -1: this platform has no /proc/sys.
func System(string) int { return -1 }

// Borrow returns an error: it needs pidfd_getfd(2) of Linux.
func Borrow(int, int, func(int)) error { return unix.ENOSYS }
