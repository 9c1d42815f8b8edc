//go:build !linux

package live

// run returns an error: it needs ptrace(2) of Linux.
func (r *Run) run() (status int, err error) { return 1, errOtherSystem }

// Become does nothing: see Run.
func Become() (status int, err error) { return 0, nil }
