package sockets

import (
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// System reads a number of the system's from /proc/sys, or returns -1.
func System(name string) int {
	n, err := strconv.Atoi(strings.TrimSpace(Setting(name)))
	if err != nil {
		return -1
	}
	return n
}

// Setting reads one of the system's settings from /proc/sys, or returns "". Package os would open more
// than the file.
func Setting(name string) string {
	fd, err := unix.Open("/proc/sys/"+name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return ""
	}
	defer unix.Close(fd)
	var text [20]byte
	length, _ := unix.Read(fd, text[:])
	return string(text[:max(length, 0)])
}
