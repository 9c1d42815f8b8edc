"""The tutorial's server, with a thread for each client."""
import socket, threading


def answer(connection):
    connection.recv(1024)
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nHello, World!\n")
    connection.close()


listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("", 8888))
listener.listen()
while True:
    connection, _ = listener.accept()
    threading.Thread(target=answer, args=[connection], daemon=True).start()
