import socket

server = socket.create_server(("127.0.0.1", 8888))
client = socket.create_connection(("127.0.0.1", 8888))
connection, _ = server.accept()
client.shutdown(socket.SHUT_WR)  # it reads on
connection.send(b"one")
connection.send(b"two")
client.recv(100)
