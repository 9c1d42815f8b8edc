#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void) {
	char buffer[100];
	int server = socket(AF_INET, SOCK_STREAM, 0);
	int connection = accept(server, 0, 0); /* EINVAL: it does not listen */
	read(connection, buffer, sizeof buffer);
}
