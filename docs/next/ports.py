"""The tutorial's server, twice: a process for each processor, and a listening socket in each."""
import os, socket

os.fork()
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
listener.bind(("", 8888))
listener.listen()
while True:
    connection, _ = listener.accept()
    connection.recv(1024)
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nHello, World!\n")
    connection.close()
