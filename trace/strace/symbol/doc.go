// Package symbol has the names that the headers of C give to numbers: of calls, of their
// flags, and of what else a call is given. A number without a name here may have one there.
//
// Source: Linux's headers (include/uapi), as strace 6.1 has them.
package symbol
