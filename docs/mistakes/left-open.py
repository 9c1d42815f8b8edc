import socket

server = socket.create_server(("", 8888))
connections = []
for _ in range(2):
    connection, _ = server.accept()
    while connection.recv(1024):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nHello\n")
    connections.append(connection)
