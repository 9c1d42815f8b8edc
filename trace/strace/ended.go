package strace

import (
	"strconv"

	"golang.org/x/sys/unix"
)

// Ended says how a process has ended: "exited with 0", "killed by SIGKILL".
func Ended(status unix.WaitStatus) string {
	if !status.Signaled() {
		return "exited with " + strconv.Itoa(status.ExitStatus())
	}
	core := ""
	if status.CoreDump() {
		core = " (core dumped)"
	}
	return "killed by " + unix.SignalName(status.Signal()) + core
}
