import socket

server = socket.socket()
server.bind(("", 8888))
server.listen()
client = socket.create_connection(("127.0.0.1", 8888))
client.sendall(b"hello\n")
connection, _ = server.accept()
connection.recv(100)
