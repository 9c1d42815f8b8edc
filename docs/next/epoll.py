"""The tutorial's server, for which the kernel keeps the list of descriptors."""
import select, socket

listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("", 8888))
listener.listen()
waiting = select.epoll()
waiting.register(listener, select.EPOLLIN)
connections = {}  # by descriptor
while True:
    for fd, _ in waiting.poll():
        if fd == listener.fileno():
            connection, _ = listener.accept()
            connections[connection.fileno()] = connection
            waiting.register(connection, select.EPOLLIN)
        else:
            connection = connections.pop(fd)
            waiting.unregister(fd)
            connection.recv(1024)
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nHello, World!\n")
            connection.close()
