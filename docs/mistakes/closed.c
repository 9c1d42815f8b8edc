#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void) {
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(8888)};
	char buffer[1024];
	int server = socket(AF_INET, SOCK_STREAM, 0);
	bind(server, (struct sockaddr *)&any, sizeof any);
	listen(server, 5);
	int connection = accept(server, 0, 0);
	close(connection);
	read(connection, buffer, sizeof buffer);
}
