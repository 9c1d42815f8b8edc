import socket

server = socket.create_server(("127.0.0.1", 8888))
client = socket.create_connection(("127.0.0.1", 8888))
connection, _ = server.accept()
request = b""
for line in b"GET /hello HTTP/1.1\r\n", b"Host: localhost\r\n", b"\r\n":
    client.sendall(line)
    request += connection.recv(1024)
connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nHello\n")
connection.close()
while client.recv(1024):
    pass
