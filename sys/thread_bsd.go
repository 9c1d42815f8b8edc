//go:build darwin || freebsd || netbsd || openbsd

package sys

// Thread is a thread whose waiting another one can see; not so on this platform.
type Thread struct{}

// ThisThread is the calling thread.
func ThisThread() Thread { return Thread{} }

// AwaitAccept returns at once: here accept takes its descriptor when it returns.
func (Thread) AwaitAccept() {}
