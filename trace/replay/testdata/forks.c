// An echo server that forks a child for each client, as in UNP section 5.2: forks PORT CLIENTS
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void echo(int connected)
{
	char buffer[4096];
	ssize_t n;

	while ((n = read(connected, buffer, sizeof buffer)) > 0)
		if (write(connected, buffer, n) != n)
			exit(1);
	exit(0);
}

int main(int argc, char **argv)
{
	int listening = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};

	if (bind(listening, (struct sockaddr *)&address, sizeof address) < 0 || listen(listening, 10) < 0) {
		perror("bind");
		return 1;
	}
	printf("Serving on port %s\n", argv[1]);
	fflush(stdout);
	for (int clients = atoi(argv[2]); clients > 0; clients--) {
		struct sockaddr_in client;
		socklen_t length = sizeof client;
		int connected = accept(listening, (struct sockaddr *)&client, &length);

		if (fork() == 0) {
			close(listening);
			echo(connected);
		}
		close(connected);
	}
	while (wait(NULL) > 0)
		;
	return 0;
}
