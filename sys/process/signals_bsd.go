//go:build darwin || freebsd || netbsd || openbsd

package process

// BlockSignals does nothing on this platform: package unix cannot change a
// thread's signal mask here. A signal may then end a call that waits; the
// kernel begins it again (SA_RESTART).
func BlockSignals() error { return nil }
