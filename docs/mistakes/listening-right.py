import socket

server = socket.socket()
server.bind(("", 8888))
server.listen()
connection, _ = server.accept()
connection.recv(1024)
connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
connection.close()
