// leaderless PORT: a server whose first thread ends before the one that serves two clients, and
// which has two descriptors for each connection.
#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static int port;

static void *serve(void *first)
{
	struct sockaddr_in addr = {.sin_family = AF_INET};
	char request[1024];
	pthread_join((pthread_t)first, NULL);
	int listener = socket(AF_INET, SOCK_STREAM, 0), fd, other;
	addr.sin_port = htons(port);
	bind(listener, (struct sockaddr *)&addr, sizeof addr);
	listen(listener, 5);
	for (int i = 0; i < 2; i++) {
		fd = accept(listener, NULL, NULL);
		other = dup(fd);
		read(fd, request, sizeof request);
		write(fd, "Hello, World!\n", 14);
		close(fd);
		close(other);
	}
	exit(0);
}

int main(int argc, char **argv)
{
	pthread_t thread;
	port = atoi(argv[1]);
	pthread_create(&thread, NULL, serve, (void *)pthread_self());
	pthread_exit(NULL);
}
