import socket

client = socket.socket()
client.send(b"GET / HTTP/1.1\r\n\r\n")
