import signal
import socket

signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # as in a program in C
server = socket.create_server(("127.0.0.1", 8888))
client = socket.create_connection(("127.0.0.1", 8888))
connection, _ = server.accept()
client.close()
connection.send(b"one")
connection.send(b"two")
