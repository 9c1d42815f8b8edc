#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void) {
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(8888)};
	bind(fd, (struct sockaddr *)&any, sizeof any);
	listen(fd, 5);
	close(fd);
}
