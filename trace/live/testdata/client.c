// client PORT: a request of one line, whose answer it prints, as UNP's echo client (figure 5.4)
// reads and writes.
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static const char request[] = "GET /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

int main(int argc, char **argv)
{
	struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
	char line[4096];
	ssize_t n;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	inet_pton(AF_INET, "127.0.0.1", &server.sin_addr);
	if (fd < 0 || connect(fd, (struct sockaddr *)&server, sizeof server) < 0) {
		perror("connect");
		return 1;
	}
	if (write(fd, request, sizeof request - 1) != sizeof request - 1)
		return 1;
	while ((n = read(fd, line, sizeof line)) > 0)
		if (write(STDOUT_FILENO, line, n) != n)
			return 1;
	if (n < 0)
		perror("read");
	return n < 0;
}
