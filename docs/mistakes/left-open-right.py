import socket

server = socket.create_server(("", 8888))
for _ in range(2):
    connection, _ = server.accept()
    connection.recv(1024)
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nHello\n")
    connection.close()
