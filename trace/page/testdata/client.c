// client PORT: makes one HTTP request.
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	char answer[1024];
	ssize_t n;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0)
		return 1;
	write(fd, "GET / HTTP/1.1\r\n\r\n", 18);
	while ((n = read(fd, answer, sizeof answer)) > 0)
		fwrite(answer, 1, n, stdout);
	close(fd);
	return 0;
}
