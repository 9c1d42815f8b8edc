// signals PORT MODE: a program whose call a signal interrupts, which another thread sends when the
// call waits.
#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct sockaddr_in addr = {.sin_family = AF_INET};
static pthread_t mainThread;
static int interrupts, awaited, client;

static void handler(int signal) { }

// has reports whether the first thread's file in /proc has a text.
static int has(const char *file, const char *text)
{
	char path[100], content[4096];
	snprintf(path, sizeof path, "/proc/self/task/%d/%s", getpid(), file);
	int fd = open(path, O_RDONLY);
	ssize_t n = pread(fd, content, sizeof content - 1, 0);
	close(fd);
	content[n > 0 ? n : 0] = 0;
	return strstr(content, text) != NULL;
}

// waits returns when the first thread sleeps in the call, and no signal waits for it.
static void waits(void)
{
	char number[20];
	snprintf(number, sizeof number, "%d 0x", awaited);
	while (!has("syscall", number) || !has("status", "SigPnd:\t0000000000000000") || !has("stat", ") S "))
		sched_yield();
}

static void *disturbs(void *unused)
{
	waits();
	if (awaited == SYS_write)
		usleep(10000); // so long that it is sure to have waited
	pthread_kill(mainThread, interrupts);
	waits();
	connect(client, (struct sockaddr *)&addr, sizeof addr);
	return NULL;
}

int main(int argc, char **argv)
{
	char *mode = argv[2], *buffer = calloc(1, 20000000);
	struct sigaction action = {.sa_handler = handler, .sa_flags = strcmp(mode, "again") == 0 ? SA_RESTART : 0};
	struct epoll_event event = {.events = EPOLLIN};
	pthread_t thread;
	int listener = socket(AF_INET, SOCK_STREAM, 0), fd, poll = epoll_create1(0), result = -2;
	addr.sin_port = htons(atoi(argv[1]));
	bind(listener, (struct sockaddr *)&addr, sizeof addr);
	listen(listener, 5);
	client = socket(AF_INET, SOCK_STREAM, 0);
	interrupts = strcmp(mode, "unhandled") == 0 ? SIGWINCH : SIGUSR1;
	if (strcmp(mode, "killed") != 0)
		sigaction(SIGUSR1, &action, NULL);
	epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
	awaited = strcmp(mode, "write") == 0 ? SYS_write : strcmp(mode, "epoll") == 0 ? SYS_epoll_wait : SYS_accept;
	mainThread = pthread_self();
	if (awaited == SYS_write) {
		connect(client, (struct sockaddr *)&addr, sizeof addr);
		fd = accept(listener, NULL, NULL);
	}
	pthread_create(&thread, NULL, disturbs, NULL);
	if (awaited == SYS_write)
		result = write(fd, buffer, 20000000);
	else if (awaited == SYS_epoll_wait)
		result = syscall(SYS_epoll_wait, poll, &event, 1, -1);
	else
		result = accept(listener, NULL, NULL);
	printf("%d\n", result < 0 ? -1 : 0); // the number is any, as the other thread opens files
	fflush(stdout);
	_exit(0);
}
