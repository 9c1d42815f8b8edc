// A server and its client in one process. A comment says which call a line makes, and when.

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct connection {
	int fd;
	char buffer[64];
};

// It leaves return addresses on the stack, which are no one's any longer.
static __attribute__((noinline)) int deep(int n, int fd)
{
	char room[128];
	memset(room, n, sizeof room);
	if (n > 0)
		return deep(n - 1, fd) + room[n];
	return close(fd) + room[0]; // 1 close
}

static inline long answer(struct connection *c)
{
	return write(c->fd, "HTTP/1.1 200 OK\n\n", 17); // 9 write
}

// With optimization it makes its call with a jump.
static __attribute__((noinline)) int hang_up(struct connection *c)
{
	return close(c->fd); // 10 close
}

static __attribute__((noinline)) int leave(struct connection *c)
{
	c->fd += 0;
	return hang_up(c);
}

static __attribute__((noinline)) int end(int fd, int other)
{
	close(other); // 12 close
	return close(fd) < 0; // 13 close
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = {0};
	socklen_t length = sizeof address;
	struct connection c;
	int (*hang)(struct connection *) = argc < 9 ? leave : hang_up;

	deep(20, -1);
	fprintf(stderr, "%s: %d arguments\n", "server", argc); // 2 write
	int server = socket(AF_INET, SOCK_STREAM, 0); // 3 socket
	address.sin_family = AF_INET;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(server, (struct sockaddr *)&address, length) < 0 || // 4 bind
	    listen(server, 5) < 0) // 5 listen
		return 1;
	getsockname(server, (struct sockaddr *)&address, &length);
	int client = socket(AF_INET, SOCK_STREAM, 0); // 6 socket
	if (connect(client, (struct sockaddr *)&address, length) < 0) // 7 connect
		return 1;
	c.fd = accept(server, // 8 accept
		      (struct sockaddr *)&address,
		      &length);
	if (answer(&c) < 0)
		return 1;
	if (argc > 1)
		hang(&c); // through a pointer, and a jump: whence it comes cannot be told
	else
		leave(&c);
	ssize_t n = read(client, c.buffer, sizeof c.buffer); // 11 read
	return n != 17 || end(server, client);
}
