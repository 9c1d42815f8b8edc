#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

static int client;

static void handler(int signal) { write(client, "hello", 5), shutdown(client, SHUT_WR); }

int main(void) {
	struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(8888)};
	struct sigaction action = {.sa_handler = handler}; /* without SA_RESTART */
	char buffer[1024];
	int server = socket(AF_INET, SOCK_STREAM, 0), n;
	bind(server, (struct sockaddr *)&here, sizeof here);
	listen(server, 5);
	sigaction(SIGALRM, &action, 0);
	for (int i = 0; i < 2; i++) {
		client = socket(AF_INET, SOCK_STREAM, 0);
		connect(client, (struct sockaddr *)&here, sizeof here);
		int connection = accept(server, 0, 0);
		ualarm(100000, 0);
		while ((n = read(connection, buffer, sizeof buffer)) > 0 || n < 0 && errno == EINTR)
			;
		close(connection);
		close(client);
	}
}
