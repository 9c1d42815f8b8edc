// Package spell spells another program's calls as strace(1) does: given a call's number, its
// arguments and the program's memory, and later what the kernel returned.
//
//	accept4(3, {sa_family=AF_INET, sin_port=htons(52044), sin_addr=inet_addr("127.0.0.1")}, [128 => 16], SOCK_CLOEXEC) = 4
//
// Name and a parenthesis, AppendBegin, AppendRest, another parenthesis, spaces up to column
// 40, an equals sign and AppendResult are the line that strace writes.
//
// It knows the calls of a server or a client, and those that make, copy, pass on or close
// descriptors. They are spelled as strace 6.1 does by default (strace -f -s limit); newer
// versions spell some things otherwise. What strace takes apart and this package does not is
// a number, bytes or a place in memory: structs of terminals, interfaces and packet sockets,
// messages of netlink, addresses but those of AF_UNIX, AF_INET, AF_INET6 and AF_NETLINK.
//
// Source: strace(1), and strace 6.1 itself, which the tests run beside it.
package spell
