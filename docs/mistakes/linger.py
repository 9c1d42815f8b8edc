import socket

server = socket.create_server(("", 8888))
connection, _ = server.accept()
connection.recv(1024)
connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nHello\n")
connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
connection.close()
