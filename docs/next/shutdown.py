"""The tutorial's server, with a child for each client, and a parent that never closes."""
import os, signal, socket

signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # leave no zombies
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("", 8888))
listener.listen()
connections = []
while True:
    connections.append(listener.accept()[0])
    if os.fork() == 0:
        if connections[-1].recv(1024):
            connections[-1].sendall(b"HTTP/1.1 200 OK\r\n\r\nHello, World!\n")
            connections[-1].shutdown(socket.SHUT_WR)  # a FIN, although the parent has the socket too
        os._exit(0)
