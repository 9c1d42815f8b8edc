import socket

server = socket.create_server(("", 8888))
client = socket.create_connection(("127.0.0.1", 8888))
connection, _ = server.accept()
connection.send(b"x" * 10_000)
connection.close()
while client.recv(100_000):
    pass
