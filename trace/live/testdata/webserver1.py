"""The tutorial's server: one client after another, as many as the second argument says."""
import socket
import sys

listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("", int(sys.argv[1])))
listener.listen(1)
for _ in range(int(sys.argv[2])):
    connection, address = listener.accept()
    request = connection.recv(1024)
    print(request.decode("utf-8"), flush=True)
    response = b"""\
HTTP/1.1 200 OK

Hello, World!
"""
    connection.sendall(response)
    connection.close()
