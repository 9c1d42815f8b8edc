// others KIND: calls on what is no TCP socket, between two TCP sockets that are closed at once.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static void tcp(void)
{
	close(socket(AF_INET, SOCK_STREAM, 0));
}

static void datagrams(void)
{
	struct sockaddr_in addr = {.sin_family = AF_INET};
	socklen_t length = sizeof addr;
	char buffer[16];
	int one = socket(AF_INET, SOCK_DGRAM, 0), other = socket(AF_INET6, SOCK_DGRAM, 0), on = 1;
	setsockopt(one, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	bind(one, (struct sockaddr *)&addr, sizeof addr);
	getsockname(one, (struct sockaddr *)&addr, &length);
	connect(one, (struct sockaddr *)&addr, sizeof addr);
	write(one, "datagram", 8);
	recvfrom(one, buffer, sizeof buffer, 0, NULL, NULL);
	shutdown(one, SHUT_RDWR);
	close(one), close(other);
}

static void locals(void)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX, .sun_path = "\0lbaws-others"};
	int pair[2], epoll = epoll_create1(0), listener = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
	struct epoll_event event = {EPOLLIN};
	char buffer[16];
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	write(pair[0], "local", 5);
	epoll_ctl(epoll, EPOLL_CTL_ADD, pair[1], &event);
	epoll_wait(epoll, &event, 1, -1);
	poll(&(struct pollfd){pair[1], POLLIN}, 1, -1);
	read(pair[1], buffer, sizeof buffer);
	bind(listener, (struct sockaddr *)&addr, sizeof addr.sun_family + 13);
	listen(listener, 5);
	connect(client, (struct sockaddr *)&addr, sizeof addr.sun_family + 13);
	close(accept(listener, NULL, NULL));
	close(dup(client));
	close(client), close(listener), close(pair[0]), close(pair[1]), close(epoll);
}

static void files(void)
{
	char buffer[16];
	int fd = open("/dev/zero", O_RDWR), pair[2];
	read(fd, buffer, sizeof buffer);
	write(fd, buffer, sizeof buffer);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	close(dup2(fd, 50)), close(fd);
	pipe(pair);
	write(pair[1], "pipe", 4), read(pair[0], buffer, sizeof buffer);
	close(pair[0]), close(pair[1]);
}

// number3 opens a file that gets the number 3, and uses it.
static void number3(void)
{
	char buffer[16];
	read(open("/dev/zero", O_RDONLY | O_CLOEXEC), buffer, sizeof buffer);
}

// reused lets the number of a file become that of a TCP socket, in all ways.
static void reused(const char *program)
{
	close(3);
	int tcp = fcntl(socket(AF_INET, SOCK_STREAM, 0), F_DUPFD, 4);
	close(3);
	number3(), close(3), dup(tcp), shutdown(3, SHUT_WR), close(3);
	number3(), syscall(SYS_close_range, 3, 3, 0), dup(tcp), shutdown(3, SHUT_RD), close(3);
	number3(), dup2(tcp, 3), shutdown(3, SHUT_RDWR), close(3);
	number3();
	execl(program, program, "executed", NULL);
}

static int ring(unsigned entries)
{
	struct io_uring_params params = {0};
	return syscall(SYS_io_uring_setup, entries, &params);
}

int main(int argc, char **argv)
{
	const char *kind = argv[1];
	int fd = -1;
	if (strcmp(kind, "reused") == 0)
		reused(argv[0]);
	if (strcmp(kind, "executed") == 0) {
		dup(4), shutdown(3, SHUT_WR);
		return 0;
	}
	if (strcmp(kind, "ring-first") == 0 && ring(8) < 0)
		return 3;
	if (strcmp(kind, "ring-later") == 0)
		fd = socket(AF_INET, SOCK_STREAM, 0);
	if (strcmp(kind, "ring-later") == 0 && ring(8) < 0)
		return 3;
	if (strcmp(kind, "ring-stays") == 0) {
		if (socket(AF_INET, SOCK_STREAM, 0) < 0 || ring(8) < 0)
			return 3;
		write(1, "ready\n", 6);
		pause();
	}
	if (strcmp(kind, "ring-alone") == 0)
		return ring(8) < 0 ? 3 : 0;
	if (strcmp(kind, "ring-refused") == 0)
		ring(0);
	if (fd >= 0)
		return 0;
	tcp();
	if (strcmp(kind, "udp") == 0)
		datagrams();
	if (strcmp(kind, "unix") == 0)
		locals();
	if (strcmp(kind, "files") == 0)
		files();
	tcp();
	return 0;
}
