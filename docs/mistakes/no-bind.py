import socket

server = socket.socket()
server.listen()
print("port", server.getsockname()[1])
