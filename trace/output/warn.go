package output

import (
	"cmp"
	_ "embed"
	"errors"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/trace/message"
)

// Warn writes err, if it is not nil, to standard error, with what the user can do about it,
// in one line: for errors that are joined, each of them. An error may say that itself, by a
// method Advice. It does not use os.Stderr, with which a write to a closed pipe would end the
// process.
func Warn(err error) {
	if err == nil {
		return
	}
	if joined, is := err.(interface{ Unwrap() []error }); is {
		for _, err := range joined.Unwrap() {
			Warn(err)
		}
		return
	}
	line := "lbaws: " + err.Error()
	var refused *sys.Error
	if errors.As(err, &refused) {
		var errno unix.Errno
		errors.As(err, &errno)
		line += cmp.Or(advice(runtime.GOOS, refused.Call+" "+sys.ErrnoName(errno)), advice(runtime.GOOS, refused.Call))
	}
	var knows interface{ Advice() string }
	if errors.As(err, &knows) {
		line += "; " + knows.Advice()
	}
	unix.Write(unix.Stderr, []byte(message.OneLine(line)+"\n"))
}

//go:embed advice.txt
var advices string

// advice returns what the user of a system can do about a refusal, such as bind EACCES;
// without an errno, about any other refusal of that call. The file has Linux's commands.
func advice(system, refusal string) string {
	for line := range strings.Lines(advices) {
		if text, found := strings.CutPrefix(line, refusal+": "); found {
			return "; " + commands(system).Replace(strings.TrimSuffix(text, "\n"))
		}
	}
	return ""
}

// commands puts a system's own commands in the place of Linux's.
func commands(system string) *strings.Replacer {
	whose := "sockstat"
	switch system {
	case "linux":
		return strings.NewReplacer()
	case "darwin":
		whose = "lsof -nP -iTCP"
	case "openbsd":
		whose = "fstat"
	}
	return strings.NewReplacer("ss -tanp shows", whose+" or netstat -an shows", "ss -tlnp", whose, "ip addr shows", "ifconfig shows",
		"ip link", "ifconfig", "fs.file-max", "kern.maxfiles", " or CAP_NET_BIND_SERVICE", "")
}
