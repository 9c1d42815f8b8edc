// ends PORT HOW [SIGNAL]: a server that takes one connection and a request, and ends without
// closing anything.
#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void *leaves(void *unused)
{
	exit(4);
}

static void *waits(void *unused)
{
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
	char request[1024];
	pthread_t thread;
	int listener = socket(AF_INET, SOCK_STREAM, 0), fd;
	bind(listener, (struct sockaddr *)&addr, sizeof addr);
	listen(listener, 5);
	fd = accept(listener, NULL, NULL);
	read(fd, request, sizeof request);
	write(fd, "Hello, World!\n", 14);
	if (strcmp(argv[2], "exit") == 0)
		exit(atoi(argv[3]));
	if (argc > 4 || strcmp(argv[2], "thread") == 0)
		for (int i = 0; i < 4; i++)
			pthread_create(&thread, NULL, waits, NULL);
	if (strcmp(argv[2], "kill") == 0)
		kill(getpid(), strcmp(argv[3], "-KILL") == 0 ? SIGKILL : SIGTERM);
	pthread_create(&thread, NULL, leaves, NULL);
	pause();
}
