// Calls from functions of the standard library that are compiled into the program's own.

#include <algorithm>
#include <functional>
#include <memory>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace server {

class Socket {
	int fd;

public:
	Socket() : fd(socket(AF_INET, SOCK_STREAM, 0)) {} // 1 socket
	~Socket() { close(fd); } // 5 close
	int listen();
};

int Socket::listen()
{
	return ::listen(fd, 1); // 2 listen
}

}

int main()
{
	auto s = std::make_unique<server::Socket>();
	s->listen();
	std::vector<int> ends{100, 101};
	std::for_each(ends.begin(), ends.end(), [](int fd) {
		close(fd); // 3 close
	});
	std::function<void(int)> end = [](int fd) {
		write(fd, "", 0); // 4 write
	};
	end(100);
}
