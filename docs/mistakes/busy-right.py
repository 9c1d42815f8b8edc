import select
import socket

server = socket.create_server(("127.0.0.1", 8888))
server.setblocking(False)
for _ in range(200):
    select.select([server], [], [], 0.0001)  # or longer
    try:
        server.accept()
    except BlockingIOError:
        pass
