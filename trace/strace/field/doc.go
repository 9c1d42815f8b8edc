// Package field writes values of another program's memory as strace(1) does: numbers, flags,
// texts, buffers, arrays, times, signals and addresses. It does not know of which call they
// are.
//
// Source: strace 6.1; the tests of package spell run it.
package field
