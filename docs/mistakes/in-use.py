import socket

for _ in range(2):  # the second time is a restart
    server = socket.socket()
    server.bind(("", 8888))
    server.listen()
    client = socket.create_connection(("127.0.0.1", 8888))
    connection, _ = server.accept()
    connection.close()  # first: TIME_WAIT is here
    client.close()
    server.close()
