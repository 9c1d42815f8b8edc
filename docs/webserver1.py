"""The tutorial's server, bare, in Python: python3 docs/webserver1.py."""

import socket

http_response = b"HTTP/1.1 200 OK\r\n\r\nHello, World!\n"

listen_socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
listen_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listen_socket.bind(("", 8888))
listen_socket.listen(1)
print("Serving HTTP on port 8888 ...", flush=True)

while True:
    client_connection, client_address = listen_socket.accept()
    request_data = client_connection.recv(1024)
    print(request_data.decode("latin-1"), flush=True)
    client_connection.sendall(http_response)
    client_connection.close()
