import socket

server = socket.create_server(("127.0.0.1", 8888))
server.setblocking(False)
for _ in range(1000):  # and so on, until somebody comes
    try:
        server.accept()
    except BlockingIOError:
        pass
