import socket

server = socket.socket()
server.bind(("", 0))  # any free port, on purpose
server.listen()
print("port", server.getsockname()[1])
