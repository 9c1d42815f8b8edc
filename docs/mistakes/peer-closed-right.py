import socket

server = socket.create_server(("127.0.0.1", 8888))
client = socket.create_connection(("127.0.0.1", 8888))
connection, _ = server.accept()
client.send(b"hello")
while connection.recv(100):  # until it returns 0 bytes: the client has closed
    connection.send(b"one")
    client.recv(100)
    client.close()
connection.close()
