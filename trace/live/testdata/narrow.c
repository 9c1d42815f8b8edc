// narrow: a 32-bit server without a C library, which calls the kernel as the first ones did, by
// socketcall(2), and by the calls of today: gcc -m32 -nostdlib.
typedef unsigned int word;

static word call(word number, word a, word b, word c, word d, word e)
{
	word result;
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e) : "memory");
	return result;
}

static word socketcall(word which, word a, word b, word c)
{
	word args[] = {a, b, c};
	return call(102, which, (word)args, 0, 0, 0);
}

void _start(void)
{
	struct { unsigned short family, port; word host, zero[2]; } addr = {2, 0, 0x0100007f, {0, 0}};
	word length = sizeof addr, on = 1;
	int fd = socketcall(1, 2, 1, 0), client = call(359, 2, 1, 0, 0, 0), connection;
	char buffer[8];
	struct { char *base; word length; } vector = {"vector", 6};
	call(366, fd, 1, 2, (word)&on, sizeof on); // setsockopt
	socketcall(2, fd, (word)&addr, sizeof addr);
	socketcall(4, fd, 5, 0);
	socketcall(6, fd, (word)&addr, (word)&length); // getsockname
	call(362, client, (word)&addr, sizeof addr, 0, 0); // connect
	connection = socketcall(5, fd, (word)&addr, (word)&length);
	call(146, client, (word)&vector, 1, 0, 0); // writev
	call(3, connection, (word)buffer, sizeof buffer, 0, 0);
	call(369, connection, (word)"answer", 6, 0x4000, 0); // sendto
	call(6, connection, 0, 0, 0, 0);
	call(371, client, (word)buffer, sizeof buffer, 0, 0); // recvfrom
	call(6, client, 0, 0, 0, 0);
	call(6, fd, 0, 0, 0, 0);
	call(252, 0, 0, 0, 0, 0);
}
