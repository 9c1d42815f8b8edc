//go:build darwin || freebsd || netbsd || openbsd

package turns

// quickACK stands for an option that this platform does not have.
const quickACK = -1
