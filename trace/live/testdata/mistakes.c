// mistakes KIND: what beginners do to descriptors that lead to no socket.
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char buffer[16];
static struct sockaddr_in addr = {.sin_family = AF_INET};

static int bound(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	bind(fd, (struct sockaddr *)&addr, sizeof addr);
	return fd;
}

// A server that closes the socket that listens.
static void closed(void)
{
	int fd = bound(), client;
	listen(fd, 1);
	close(fd);
	client = accept(fd, NULL, NULL);
	read(client, buffer, sizeof buffer);
	write(client, "hello", 5);
	close(client);
	close(fd);
}

// A server that forgets listen, and the parentheses around an assignment: 0 and 1 are no sockets.
static void assigned(void)
{
	int fd;
	if ((fd = socket(AF_INET, SOCK_STREAM, 0) < 0))
		exit(1);
	bind(fd, (struct sockaddr *)&addr, sizeof addr);
	listen(fd, 1);
	accept(fd + 1, NULL, NULL);
	fd = bound();
	accept(fd, NULL, NULL);
	recv(fd, buffer, sizeof buffer, 0);
}

// A client of which socket fails, and one that writes behind its close.
static void unchecked(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, IPPROTO_UDP), other;
	addr.sin_port = htons(9);
	connect(fd, (struct sockaddr *)&addr, sizeof addr);
	send(fd, "hello", 5, 0);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	connect(fd, (struct sockaddr *)&addr, sizeof addr);
	close(fd);
	write(fd, "hello", 5);
	other = open("/dev/null", O_RDWR);
	write(other, "hello", 5);
	send(other, "hello", 5, 0);
	close(other);
	write(other, "hello", 5);
	shutdown(other, SHUT_RDWR);
}

// A server and its client, which listens; and the server connects.
static void swapped(void)
{
	socklen_t length = sizeof addr;
	int server = bound(), client = socket(AF_INET, SOCK_STREAM, 0);
	listen(server, 1);
	getsockname(server, (struct sockaddr *)&addr, &length);
	connect(client, (struct sockaddr *)&addr, sizeof addr);
	listen(client, 1);
	accept(client, NULL, NULL);
	connect(server, (struct sockaddr *)&addr, sizeof addr);
	recv(server, buffer, sizeof buffer, 0);
	recv(client, buffer, sizeof buffer, MSG_DONTWAIT);
}

// What programs do that know what they do: it is no mistake about a TCP socket.
static void none(void)
{
	struct sockaddr_un local = {.sun_family = AF_UNIX, .sun_path = "/"};
	socklen_t length = sizeof addr;
	int kind;
	getsockname(0, (struct sockaddr *)&addr, &length);
	getsockopt(0, SOL_SOCKET, SO_TYPE, &kind, &length);
	bind(-1, (struct sockaddr *)&local, sizeof local);
	read(-1, buffer, sizeof buffer);
	write(99, "hello", 5);
	close(-1);
	close(99);
	dup2(-1, 98);
}

int main(int argc, char **argv)
{
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (strcmp(argv[1], "closed") == 0)
		closed();
	else if (strcmp(argv[1], "assigned") == 0)
		assigned();
	else if (strcmp(argv[1], "unchecked") == 0)
		unchecked();
	else if (strcmp(argv[1], "swapped") == 0)
		swapped();
	else
		none();
}
