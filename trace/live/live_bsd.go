//go:build !linux

package live

import "errors"

// Run returns an error: it needs ptrace(2) of Linux.
func (r *Run) Run() (status int, err error) {
	return 1, errors.New("run needs Linux: it follows other programs by its ptrace(2)")
}

// Become does nothing: see Run.
func Become() (status int, err error) { return 0, nil }
