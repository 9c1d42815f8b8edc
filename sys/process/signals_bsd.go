//go:build darwin || freebsd || netbsd || openbsd

package process

import (
	"errors"
	"syscall"
)

// BlockSignals does nothing on this platform: package unix cannot change a
// thread's signal mask here. A signal may then end a call that waits; the
// kernel begins it again (SA_RESTART).
func BlockSignals() error { return nil }

// TakeSignal takes nothing on this platform.
func TakeSignal(syscall.Signal) bool { return false }

// A Passage passes nothing on here: threads have no descriptors of their own.
type Passage struct{}

// The others return an error.
func NewPassage() (Passage, error) { return Passage{}, errors.ErrUnsupported }
func (Passage) Pass([]int) error   { return errors.ErrUnsupported }
func (Passage) Take([]int) error   { return errors.ErrUnsupported }
