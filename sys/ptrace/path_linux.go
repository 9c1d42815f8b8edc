package ptrace

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"lbaws/sys"
)

// LookPath finds the file of a program, as a shell does: in the folders of PATH, if its name
// has no slash. The error is ENOENT if there is none, and EACCES if it may not be executed.
//
// Source: execve(2), environ(7).
func LookPath(name string) (string, error) {
	if strings.Contains(name, "/") {
		return name, sys.Fail("execve", name, executable(name))
	}
	err := error(unix.ENOENT)
	for _, folder := range filepath.SplitList(os.Getenv("PATH")) {
		path := filepath.Join(folder, name) // an empty one is the current folder
		if folder == "" {
			path = "./" + name
		}
		switch found := executable(path); {
		case found == nil:
			return path, nil
		case errors.Is(found, unix.EACCES):
			err = unix.EACCES
		}
	}
	return "", sys.Fail("execve", name, err)
}

// executable returns why a file cannot be executed; nil if it can.
func executable(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ENOTDIR):
		return unix.ENOENT
	case err != nil:
		return unix.EACCES
	case info.IsDir():
		return unix.EACCES
	}
	return unix.Access(path, 1) // X_OK
}
