// programs MODE [ARG]: programs that are hard to follow. Each makes calls of getppid as marks,
// checks itself what the kernel promises it, and says "MARKS n" with how many it has made.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;
static char *self;
static atomic_int count;

#define CHECK(what) \
	do { \
		if (!(what)) { \
			fprintf(stderr, "line %d: %s: %s\n", __LINE__, #what, strerror(errno)); \
			_exit(99); \
		} \
	} while (0)

static void mark(int n)
{
	for (; n > 0; n--, count++)
		syscall(SYS_getppid);
}

// says is told last: what a child has marked stands in its own line.
static void says(void)
{
	dprintf(1, "MARKS %d\n", count);
}

static void *marks(void *n)
{
	mark((int)(long)n);
	return NULL;
}

static void threads(void)
{
	pthread_t all[16];
	for (int round = 0; round < 5; round++) {
		for (long i = 0; i < 16; i++)
			CHECK(pthread_create(&all[i], NULL, marks, (void *)(i + 1)) == 0);
		for (int i = 0; i < 16; i++)
			pthread_join(all[i], NULL);
	}
	says();
}

static int statusOf(pid_t child)
{
	int status;
	CHECK(waitpid(child, &status, 0) == child);
	return status;
}

static void forks(void)
{
	for (int i = 0; i < 20; i++) {
		pid_t child = fork();
		if (child == 0) {
			count = 0;
			mark(i);
			says();
			_exit(i);
		}
		CHECK(WEXITSTATUS(statusOf(child)) == i);
	}
	mark(1);
	says();
}

static void vforks(void)
{
	for (int i = 0; i < 10; i++) {
		pid_t child = vfork();
		if (child == 0) {
			execl(self, self, "marks", "3", NULL);
			_exit(98);
		}
		CHECK(WEXITSTATUS(statusOf(child)) == 3);
	}
}

static void spawns(void)
{
	for (int i = 0; i < 10; i++) {
		pid_t child;
		char *args[] = {self, "marks", "4", NULL};
		CHECK(posix_spawn(&child, self, NULL, NULL, args, environ) == 0);
		CHECK(WEXITSTATUS(statusOf(child)) == 4);
	}
}

static int inherits(void *pipe)
{
	count = 0;
	mark(2);
	says();
	return write(((int *)pipe)[1], "x", 1) == 1 ? 5 : 6;
}

// files makes children that have its very descriptors, and are no threads of it.
static void files(void)
{
	static char stack[65536];
	int pair[2];
	char byte;
	CHECK(pipe(pair) == 0);
	for (int i = 0; i < 10; i++) {
		pid_t child = clone(inherits, stack + sizeof stack, CLONE_FILES | SIGCHLD, pair);
		CHECK(child > 0 && read(pair[0], &byte, 1) == 1 && WEXITSTATUS(statusOf(child)) == 5);
	}
}

static void *execs(void *how)
{
	mark(2);
	says();
	execl(self, self, "marks", "5", NULL);
	return NULL;
}

static void *waits(void *pipe)
{
	char byte;
	mark(1);
	read(((int *)pipe)[0], &byte, 1);
	return NULL;
}

// waiting is some threads that wait for ever.
static void waiting(int n)
{
	static int pair[2];
	pthread_t thread;
	CHECK(pipe(pair) == 0);
	for (int i = 0; i < n; i++)
		pthread_create(&thread, NULL, waits, pair);
	while (count < n)
		sched_yield();
}

static void exec(void)
{
	waiting(4);
	execs(NULL);
}

static void execOther(void)
{
	pthread_t thread;
	waiting(4);
	pthread_create(&thread, NULL, execs, NULL);
	pause();
}

static void *outlives(void *first)
{
	pthread_join((pthread_t)first, NULL);
	mark(3);
	says();
	exit(7);
}

static void leaderExits(void)
{
	pthread_t thread;
	mark(1);
	pthread_create(&thread, NULL, outlives, (void *)pthread_self());
	pthread_exit(NULL);
}

static void *execsLater(void *first)
{
	pthread_join((pthread_t)first, NULL);
	return execs(NULL);
}

static void leaderExecs(void)
{
	pthread_t thread;
	mark(1);
	pthread_create(&thread, NULL, execsLater, (void *)pthread_self());
	pthread_exit(NULL);
}

static void exitGroup(void)
{
	waiting(8);
	says();
	exit(6);
}

// daemonize leaves a grandchild whose parent has ended.
static void daemonize(void)
{
	int pair[2];
	char byte;
	CHECK(pipe(pair) == 0);
	pid_t child = fork();
	if (child == 0) {
		if (fork() == 0) {
			close(pair[1]);
			read(pair[0], &byte, 1); // until both have ended
			mark(2);
			says();
			_exit(0);
		}
		_exit(0);
	}
	CHECK(statusOf(child) == 0);
}

static int siblings(void *unused)
{
	mark(2);
	says();
	return 0;
}

// adopts makes a child whose parent is its own.
static void adopts(void)
{
	static char stack[65536];
	CHECK(clone(siblings, stack + sizeof stack, CLONE_PARENT | SIGCHLD, NULL) > 0);
}

static char stateOf(pid_t process)
{
	char path[64], text[512] = "";
	snprintf(path, sizeof path, "/proc/%d/stat", process);
	int fd = open(path, O_RDONLY);
	CHECK(fd >= 0 && read(fd, text, sizeof text - 1) > 0);
	close(fd);
	return strrchr(text, ')')[2];
}

// stops: job control works as if nobody watched.
static void stops(void)
{
	int signals[] = {SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU}, status;
	setpgid(0, 0); // by an orphaned group SIGTSTP is ignored: this one has a child in another one
	pid_t child = fork();
	if (child == 0) {
		setpgid(0, 0);
		for (;;)
			mark(1);
	}
	setpgid(child, child);
	for (int i = 0; i < 40; i++) {
		int signal = signals[i % 4];
		CHECK(kill(child, signal) == 0);
		CHECK(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status) && WSTOPSIG(status) == signal);
		char state = stateOf(child);
		CHECK(state == 'T' || state == 't'); // a tracer listens
		CHECK(kill(child, SIGCONT) == 0);
		CHECK(waitpid(child, &status, WCONTINUED) == child && WIFCONTINUED(status));
	}
	CHECK(kill(child, SIGKILL) == 0 && WTERMSIG(statusOf(child)) == SIGKILL);
}

static atomic_int handled;

static void handle(int signal)
{
	handled++;
}

static void *disturbs(void *at)
{
	int *pair = at;
	for (int i = 0; i < 20; i++) {
		pthread_kill(*(pthread_t *)(pair + 2), SIGUSR1);
		while (handled <= i)
			sched_yield();
	}
	CHECK(write(pair[1], "x", 1) == 1);
	return NULL;
}

// handles is signals in the middle of a read, which begins again, or does not.
static void handles(int flags)
{
	struct { int pair[2]; pthread_t first; } about = {.first = pthread_self()};
	struct sigaction action = {.sa_handler = handle, .sa_flags = flags};
	pthread_t thread;
	char byte;
	ssize_t n;
	int interrupted = 0;
	sigaction(SIGUSR1, &action, NULL);
	CHECK(pipe(about.pair) == 0);
	pthread_create(&thread, NULL, disturbs, &about);
	while ((n = read(about.pair[0], &byte, 1)) < 0 && errno == EINTR)
		interrupted++;
	CHECK(n == 1 && byte == 'x' && handled == 20);
	CHECK(flags == 0 || interrupted == 0);
	pthread_join(thread, NULL);
	mark(1);
	says();
}

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

// sleeps is stopped in the middle of calls that have a time.
static void sleeps(void)
{
	struct timespec wait = {0, 60000000};
	pid_t parent = getpid(), child = fork();
	if (child == 0) {
		for (int i = 0; i < 40; i++) {
			kill(parent, SIGSTOP);
			while (stateOf(parent) != 'T' && stateOf(parent) != 't')
				sched_yield();
			kill(parent, SIGCONT);
		}
		_exit(0);
	}
	for (int i = 0; i < 3; i++) {
		double began = now();
		CHECK(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &wait, NULL) == 0 && now() - began >= 0.06);
		began = now();
		CHECK(poll(NULL, 0, 60) == 0 && now() - began >= 0.06);
	}
	kill(child, SIGCONT);
	CHECK(statusOf(child) == 0);
	mark(1);
	says();
}

// storm is 200 signals at any moments, none of which is lost.
static void storm(void)
{
	struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
	sigset_t queued, old;
	sigaction(SIGRTMIN, &action, NULL);
	sigemptyset(&queued);
	sigaddset(&queued, SIGUSR2);
	sigprocmask(SIG_BLOCK, &queued, &old);
	pid_t parent = getpid(), child = fork();
	if (child == 0) {
		union sigval value = {0};
		for (int i = 0; i < 200; i++) {
			while (sigqueue(parent, SIGRTMIN, value) < 0) {
				CHECK(errno == EAGAIN);
				sched_yield();
			}
			for (int pause = rand() % 3000; pause > 0; pause--)
				atomic_thread_fence(memory_order_seq_cst);
		}
		_exit(0);
	}
	do
		mark(1);
	while (handled < 200);
	CHECK(statusOf(child) == 0);
	says();
}

// floods writes to a pipe that nobody reads: SIGPIPE.
static void floods(void)
{
	for (;;)
		if (write(1, "x", 1) < 0)
			exit(50);
}

static int epoll;

static long inRead(void) { char byte; return read(0, &byte, 1); }
static long inPoll(void) { struct pollfd fd = {0, POLLIN}; return poll(&fd, 1, 100000); }
static long inPpoll(void) { struct pollfd fd = {0, POLLIN}; return ppoll(&fd, 1, NULL, NULL); }
static long inEpoll(void) { struct epoll_event event; return epoll_wait(epoll, &event, 1, -1); }
static long inEpollPwait(void) { struct epoll_event event; return epoll_pwait(epoll, &event, 1, 100000, NULL); }
static long inSelect(void)
{
	fd_set set;
	FD_ZERO(&set);
	FD_SET(0, &set);
	return select(1, &set, NULL, NULL, NULL);
}
static long inAccept(void) { return accept(0, NULL, NULL) < 0 ? -1 : 1; }
static long inWait(void)
{
	pid_t child = fork();
	if (child == 0) {
		inRead();
		_exit(0);
	}
	return wait(NULL) == child ? 1 : -1;
}
static long inJoin(void) // futex
{
	pthread_t thread;
	pthread_create(&thread, NULL, (void *(*)(void *))inRead, NULL);
	return pthread_join(thread, NULL) == 0 ? 1 : -1;
}

// waitsIn waits in a call until standard input is ready, and fails if the call does.
static void waitsIn(const char *name)
{
	struct epoll_event event = {EPOLLIN};
	struct { const char *name; long (*call)(void); } calls[] = {{"read", inRead}, {"poll", inPoll}, {"ppoll", inPpoll},
		{"epoll_wait", inEpoll}, {"epoll_pwait", inEpollPwait}, {"select", inSelect}, {"accept", inAccept}, {"wait", inWait}, {"join", inJoin}};
	epoll = epoll_create1(0);
	epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &event);
	mark(1);
	says();
	for (unsigned i = 0; i < sizeof calls / sizeof calls[0]; i++)
		if (strcmp(calls[i].name, name) == 0)
			CHECK(calls[i].call() == 1);
	mark(1);
}

static void sleepsForEver(void)
{
	says();
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	int n = argc > 2 ? atoi(argv[2]) : 0;
	self = argv[0];
	if (strcmp(argv[1], "marks") == 0) {
		mark(n);
		says();
		return n;
	}
	if (strcmp(argv[1], "raise") == 0) {
		mark(1);
		says();
		raise(n);
		return 97;
	}
	if (strcmp(argv[1], "handles") == 0)
		handles(n);
	if (strcmp(argv[1], "waits") == 0)
		waitsIn(argv[2]);
	struct { const char *name; void (*run)(void); } modes[] = {{"threads", threads}, {"forks", forks}, {"vforks", vforks},
		{"spawns", spawns}, {"files", files}, {"exec", exec}, {"exec-other", execOther}, {"leader-exits", leaderExits},
		{"leader-execs", leaderExecs}, {"exit-group", exitGroup}, {"daemonize", daemonize}, {"adopts", adopts},
		{"stops", stops},
		{"sleeps", sleeps}, {"storm", storm}, {"floods", floods}, {"pause", sleepsForEver}};
	for (unsigned i = 0; i < sizeof modes / sizeof modes[0]; i++)
		if (strcmp(argv[1], modes[i].name) == 0)
			modes[i].run();
	return 0;
}
