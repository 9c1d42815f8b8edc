"""Uses a socket that it has closed: its descriptor is -1 then."""
import socket

server = socket.socket()
server.bind(("127.0.0.1", 0))
server.listen(1)
client = socket.create_connection(server.getsockname())
connection, address = server.accept()
client.close()
server.close()
connection.close()
for use in (lambda: client.send(b"hello"), lambda: client.recv(9), lambda: server.accept(), lambda: connection.getpeername()):
    try:
        use()
    except OSError as error:
        print(error)
