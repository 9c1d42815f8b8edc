import socket

server = socket.create_server(("127.0.0.1", 8888))
client = socket.create_connection(("127.0.0.1", 8888))
connection, _ = server.accept()
client.close()
connection.send(b"one")  # the kernel of the client answers: RST
connection.send(b"two")
