import os
import signal
import socket

signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # as in a program in C
server = socket.create_server(("127.0.0.1", 8888))
if os.fork() == 0:
    client = socket.create_connection(("127.0.0.1", 8888))
    os._exit(0)  # the client ends
connection, _ = server.accept()
os.wait()
try:
    connection.send(b"one", socket.MSG_NOSIGNAL)
    connection.send(b"two", socket.MSG_NOSIGNAL)
except BrokenPipeError:  # EPIPE
    connection.close()
