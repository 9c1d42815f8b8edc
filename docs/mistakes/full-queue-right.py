import socket

server = socket.socket()
server.bind(("", 8888))
server.listen(1)
clients = [socket.create_connection(("127.0.0.1", 8888)) for _ in range(1)]
server.accept()
