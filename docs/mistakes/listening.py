import socket

server = socket.socket()
server.bind(("", 8888))
server.listen()
connection, _ = server.accept()
server.recv(1024)
