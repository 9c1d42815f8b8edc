// servers MODE PORT N: an HTTP server in one of the forms of UNP chapters 4 to 6, 15 and 30,
// that ends when it has served N clients.
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const char answer[] = "HTTP/1.1 200 OK\r\n\r\nHello, World!\n";
static int listener, left;

static void fail(const char *call)
{
	perror(call);
	exit(1);
}

static void serve(int fd)
{
	char request[1024];
	if (read(fd, request, sizeof request) > 0)
		write(fd, answer, sizeof answer - 1);
	close(fd);
}

static int next(void)
{
	int fd;
	while ((fd = accept(listener, NULL, NULL)) < 0)
		if (errno != EINTR && errno != ECONNABORTED)
			fail("accept");
	return fd;
}

static void iterative(void)
{
	for (; left > 0; left--)
		serve(next());
}

static void reap(int signal)
{
	int saved = errno;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	errno = saved;
}

static void forking(void)
{
	struct sigaction action = {.sa_handler = reap};
	sigaction(SIGCHLD, &action, NULL);
	for (; left > 0; left--) {
		int fd = next();
		if (fork() == 0) {
			close(listener);
			serve(fd);
			exit(0);
		}
		close(fd);
	}
	while (wait(NULL) > 0 || errno == EINTR)
		;
}

static void selecting(void)
{
	fd_set all, ready;
	FD_ZERO(&all);
	FD_SET(listener, &all);
	while (left > 0) {
		ready = all;
		if (select(FD_SETSIZE, &ready, NULL, NULL, NULL) < 0)
			fail("select");
		for (int fd = 0; fd < FD_SETSIZE; fd++) {
			if (!FD_ISSET(fd, &ready))
				continue;
			if (fd == listener) {
				int connection = next(); // FD_SET may evaluate it twice
				FD_SET(connection, &all);
				continue;
			}
			serve(fd);
			FD_CLR(fd, &all);
			left--;
		}
	}
}

static void polling(void)
{
	struct pollfd all[16] = {{listener, POLLIN}};
	int n = 1;
	while (left > 0) {
		if (poll(all, n, -1) < 0)
			fail("poll");
		for (int i = n - 1; i > 0; i--)
			if (all[i].revents) {
				serve(all[i].fd);
				all[i] = all[--n];
				left--;
			}
		if (all[0].revents)
			all[n++] = (struct pollfd){next(), POLLIN};
	}
}

static void epolling(void)
{
	struct epoll_event event = {EPOLLIN, {.fd = listener}};
	int all = epoll_create1(0);
	epoll_ctl(all, EPOLL_CTL_ADD, listener, &event);
	while (left > 0) {
		if (epoll_wait(all, &event, 1, -1) < 0)
			fail("epoll_wait");
		if (event.data.fd == listener) {
			event = (struct epoll_event){EPOLLIN | EPOLLRDHUP, {.fd = next()}};
			epoll_ctl(all, EPOLL_CTL_ADD, event.data.fd, &event);
			continue;
		}
		serve(event.data.fd);
		left--;
	}
	close(all);
}

static void *thread(void *fd)
{
	serve((int)(long)fd);
	return NULL;
}

static void threaded(void)
{
	pthread_t threads[64];
	int n = 0;
	for (; left > 0; left--)
		pthread_create(&threads[n++], NULL, thread, (void *)(long)next());
	while (n > 0)
		pthread_join(threads[--n], NULL);
}

static void preforked(void)
{
	int children = left;
	for (int i = 0; i < children; i++)
		if (fork() == 0) {
			serve(next());
			exit(0);
		}
	while (wait(NULL) > 0)
		;
}

// passing gives each connection to a child over a Unix socket (UNP section 15.7).
static void passing(void)
{
	int pair[2], fd;
	char byte = 0, control[CMSG_SPACE(sizeof fd)];
	struct iovec vector = {&byte, 1};
	struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		fail("socketpair");
	if (fork() == 0) {
		close(listener);
		for (; left > 0; left--) {
			message.msg_controllen = sizeof control;
			if (recvmsg(pair[1], &message, 0) < 0)
				fail("recvmsg");
			memcpy(&fd, CMSG_DATA(header), sizeof fd);
			serve(fd);
		}
		exit(0);
	}
	for (; left > 0; left--) {
		fd = next();
		header->cmsg_level = SOL_SOCKET, header->cmsg_type = SCM_RIGHTS, header->cmsg_len = CMSG_LEN(sizeof fd);
		memcpy(CMSG_DATA(header), &fd, sizeof fd);
		if (sendmsg(pair[0], &message, 0) < 0)
			fail("sendmsg");
		close(fd);
	}
	wait(NULL);
}

int main(int argc, char **argv)
{
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[2]))};
	int on = 1;
	left = atoi(argv[3]);
	if ((listener = socket(AF_INET, SOCK_STREAM, 0)) < 0)
		fail("socket");
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(listener, (struct sockaddr *)&addr, sizeof addr) < 0)
		fail("bind");
	if (listen(listener, 5) < 0)
		fail("listen");
	struct { const char *name; void (*run)(void); } modes[] = {{"iterative", iterative}, {"fork", forking}, {"select", selecting},
		{"poll", polling}, {"epoll", epolling}, {"threads", threaded}, {"prefork", preforked}, {"passing", passing}};
	for (int i = 0; i < 8; i++)
		if (strcmp(argv[1], modes[i].name) == 0)
			modes[i].run();
	close(listener);
}
