//go:build darwin || freebsd || netbsd || openbsd

package namespace

import (
	"errors"
	"os"
)

// Run returns false: this platform has no namespaces.
func Run(bool) (status int, done bool) { return 0, false }

// Environ is the environment for programs that this one starts.
func Environ() []string { return os.Environ() }

// The others return an error: this platform has no namespaces.
func HoldSegments() error { return errors.ErrUnsupported }
func PassTwo() error      { return errors.ErrUnsupported }
func PassAll() error      { return errors.ErrUnsupported }
func LoseAll() error      { return errors.ErrUnsupported }
func Unplug(int) error    { return errors.ErrUnsupported }
func Plug(int) error      { return errors.ErrUnsupported }

// Set and the counters do so too.
func Set(name, value string) error { return errors.ErrUnsupported }
func Probes() (int, error)         { return 0, errors.ErrUnsupported }
func DelayedACKs() (int, error)    { return 0, errors.ErrUnsupported }
func SentAgain() (int, error)      { return 0, errors.ErrUnsupported }
