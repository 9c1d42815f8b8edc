#include <netinet/in.h>
#include <sys/socket.h>

int main(void) {
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(8888)};
	int fd;
	if (fd = socket(AF_INET, SOCK_STREAM, 0) < 0) /* fd is 0: the comparison's result */
		return 1;
	bind(fd, (struct sockaddr *)&any, sizeof any);
}
