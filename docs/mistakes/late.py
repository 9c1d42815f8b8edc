import socket

server = socket.create_server(("127.0.0.1", 8888))
client = socket.create_connection(("127.0.0.1", 8888))
connection, _ = server.accept()
connection.close()
client.send(b"GET / HTTP/1.1\r\n\r\n")
