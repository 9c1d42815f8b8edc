"""The tutorial's server, with a child process for each client."""
import os, signal, socket

signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # leave no zombies
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("", 8888))
listener.listen()
while True:
    connection, _ = listener.accept()
    if os.fork() == 0:  # the child: it has both descriptors too
        listener.close()
        connection.recv(1024)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nHello, World!\n")
        os._exit(0)  # the kernel closes the last descriptor, and sends the FIN
    connection.close()  # no FIN: the child has the socket
