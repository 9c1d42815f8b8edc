package sockets

import (
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// System reads a number of the system's from /proc/sys, or returns -1. Package os would open more than
// the file.
func System(name string) int {
	fd, err := unix.Open("/proc/sys/"+name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1
	}
	defer unix.Close(fd)
	var text [20]byte
	length, _ := unix.Read(fd, text[:])
	n, err := strconv.Atoi(strings.TrimSpace(string(text[:max(length, 0)])))
	if err != nil {
		return -1
	}
	return n
}
