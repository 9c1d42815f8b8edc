// Package spell spells another program's calls as strace(1) does: given a call's number, its
// arguments and the program's memory, and later what the kernel returned.
//
// It knows how the calls of a server or a client are spelled, and those that make, copy, pass
// on or close descriptors; it does not know how one comes to hear of them. What a call shows
// is what strace 6.1 shows by default (strace -f -s limit); what strace tells of by a table
// that is not here stands as a number or a place in memory.
//
// Source: strace(1), and strace 6.1 itself, which the tests run beside it.
package spell
