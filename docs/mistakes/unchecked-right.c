#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void) {
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(8888)};
	int server = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(server, (struct sockaddr *)&any, sizeof any) < 0 || listen(server, 5) < 0)
		return perror("the server"), 1;
	close(server);
}
