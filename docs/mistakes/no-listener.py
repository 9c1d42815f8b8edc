import socket

server = socket.socket()
server.bind(("127.0.0.1", 8888))
server.listen()
client = socket.socket()
client.connect(("127.0.0.2", 8888))  # another address of this machine
