"""The tutorial's server, which gives each client half a second."""
import socket, struct

listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("", 8888))
listener.listen()
while True:
    connection, _ = listener.accept()
    half_a_second = struct.pack("ll", 0, 500000)  # struct timeval
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, half_a_second)
    try:
        connection.recv(1024)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nHello, World!\n")
    except BlockingIOError:  # EAGAIN: no byte has come
        pass
    connection.close()
