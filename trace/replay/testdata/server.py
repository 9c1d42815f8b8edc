# The tutorial's server: python3 server.py PORT CLIENTS
import socket
import sys

listen_socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
listen_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listen_socket.bind(("", int(sys.argv[1])))
listen_socket.listen(1)
print("Serving HTTP on port %s ..." % sys.argv[1], flush=True)
for _ in range(int(sys.argv[2])):
    client_connection, client_address = listen_socket.accept()
    request_data = client_connection.recv(1024)
    print(request_data.decode(), flush=True)
    client_connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nHello, World!\n")
    client_connection.close()
