/* Clients for BenchmarkSideBySide: so many processes, one request after the other
   in each. An answer that is not whole is an error.
   usage: clients PORT REQUESTS PROCESSES */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int request(const struct sockaddr_in *server)
{
	static const char text[] = "GET /hello HTTP/1.1\r\nHost: localhost:8888\r\nUser-Agent: test\r\nAccept: */*\r\n\r\n";
	char response[1024];
	ssize_t n, got = 0;
	int s = socket(AF_INET, SOCK_STREAM, 0);
	if (s < 0 || connect(s, (const struct sockaddr *)server, sizeof *server) < 0)
		return 0;
	if (write(s, text, sizeof text - 1) != sizeof text - 1)
		return 0;
	while ((n = read(s, response, sizeof response)) > 0)
		got += n;
	close(s);
	return n == 0 && got == 33;
}

int main(int argc, char **argv)
{
	int requests = atoi(argv[2]), processes = atoi(argv[3]), failed = 0, status;
	struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
	server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (int i = 0; i < processes; i++) {
		if (fork() == 0) {
			for (int n = 0; n < requests / processes; n++)
				if (!request(&server)) {
					perror("request");
					_exit(1);
				}
			_exit(0);
		}
	}
	while (wait(&status) > 0)
		failed |= status != 0;
	return failed;
}
