import select
import socket

server = socket.create_server(("", 8888))
client = socket.create_connection(("127.0.0.1", 8888))
connection, _ = server.accept()
connection.setblocking(False)
rest = b"x" * 10_000_000
poll = select.poll()
poll.register(connection, select.POLLOUT)
poll.register(client, select.POLLIN)
while rest:
    for ready, _ in poll.poll():
        if ready == connection.fileno():
            rest = rest[connection.send(rest):]
        else:
            client.recv(100_000)
connection.close()
while client.recv(100_000):
    pass
