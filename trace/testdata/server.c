/* The server's loop in C, for BenchmarkSideBySide to compare with: the same calls
   in the same order, and the request printed, without the trace, the timeout and
   the half-close. usage: server PORT */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static int check(const char *call, int result)
{
	if (result < 0) {
		perror(call);
		exit(1);
	}
	return result;
}

int main(int argc, char **argv)
{
	static const char response[] = "HTTP/1.1 200 OK\r\n\r\nHello, World!\n";
	char request[1024 + 1];
	int on = 1;
	struct sockaddr_in local = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
	local.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	signal(SIGPIPE, SIG_IGN);
	int listening = check("socket", socket(AF_INET, SOCK_STREAM, 0));
	check("setsockopt", setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
	check("bind", bind(listening, (struct sockaddr *)&local, sizeof local));
	check("listen", listen(listening, 128));
	for (;;) {
		struct sockaddr_in peer;
		socklen_t length = sizeof peer;
		int connected = check("accept", accept(listening, (struct sockaddr *)&peer, &length));
		ssize_t n = read(connected, request, sizeof request - 1);
		if (n >= 0) {
			request[n] = '\n';
			check("write", write(1, request, n + 1));
			write(connected, response, sizeof response - 1);
		}
		close(connected);
	}
}
