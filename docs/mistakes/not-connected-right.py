import socket

server = socket.create_server(("127.0.0.1", 8888))
client = socket.socket()
client.connect(("127.0.0.1", 8888))
client.send(b"GET / HTTP/1.1\r\n\r\n")
connection, _ = server.accept()
connection.recv(100)
