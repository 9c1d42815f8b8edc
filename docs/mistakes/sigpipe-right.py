import signal
import socket

signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # as in a program in C
server = socket.create_server(("127.0.0.1", 8888))
client = socket.create_connection(("127.0.0.1", 8888))
connection, _ = server.accept()
client.close()
if connection.recv(100):  # 0 bytes: the client has closed
    connection.send(b"one")
