import socket

server = socket.socket()
server.bind(("", 8888))
server.accept()
