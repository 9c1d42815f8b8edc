"""moves.py MODE PORT: servers and clients that use sockets in all the ways that predictions
must know, for the test that plays them with random keys."""

import selectors
import socket
import struct
import sys

mode, port = sys.argv[1], int(sys.argv[2])
answer = b"HTTP/1.1 200 OK\r\n\r\nHello, World!\n"
request = b"GET /hello HTTP/1.1\r\n\r\n"


def listen():
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", port))
    s.listen(2)
    return s


def loop(serve):
    s = listen()
    while True:
        c, _ = s.accept()
        try:
            serve(c)
        except OSError:
            pass
        c.close()


def flags(c):
    """looks before it reads, and reads in each of the ways."""
    c.recv(100, socket.MSG_PEEK)
    for flag in (socket.MSG_DONTWAIT, socket.MSG_DONTWAIT | socket.MSG_PEEK, 0, socket.MSG_DONTWAIT | socket.MSG_WAITALL):
        try:
            c.recv(10, flag)
        except BlockingIOError:
            pass
    c.recv(2000, socket.MSG_WAITALL)
    c.send(answer, socket.MSG_DONTWAIT)
    c.recv(5, socket.MSG_WAITALL | socket.MSG_PEEK)


def vectors(c):
    c.recvmsg_into([bytearray(10), bytearray(30)])
    c.sendmsg([answer[:9], answer[9:]])
    c.recvmsg(1000)


def options(c):
    """sets what the kernel does not tell."""
    c.settimeout(None)
    c.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, 100000))
    try:
        while len(c.recv(1000)) > 0:
            pass
    except BlockingIOError:
        pass
    c.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
    c.send(answer)
    c.send(answer)
    c.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)
    c.shutdown(socket.SHUT_RD)
    c.recv(10)
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def small(c):
    """writes more than its buffer takes."""
    c.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
    c.recv(1000)
    c.send(bytes(3000))
    c.sendall(bytes(100000))


def lowat(c):
    c.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 20)
    c.recv(1000)
    c.send(answer)


def dup(c):
    d = c.dup()
    c.recv(1000)
    c.send(answer)
    c.close()
    d.send(answer)
    d.close()


def selecting():
    s = listen()
    s.setblocking(False)
    waits = selectors.DefaultSelector()
    waits.register(s, selectors.EVENT_READ)
    while True:
        for key, _ in waits.select():
            if key.fileobj is s:
                for _ in range(2):
                    try:
                        c, _ = s.accept()
                    except BlockingIOError:
                        break
                    c.setblocking(False)
                    waits.register(c, selectors.EVENT_READ)
                continue
            c = key.fileobj
            try:
                while len(c.recv(10)) > 0:
                    pass
                c.send(answer)
            except BlockingIOError:
                c.send(answer)
            except OSError:
                pass
            waits.unregister(c)
            c.close()


def asynchronous():
    import asyncio

    async def serve(reader, writer):
        await reader.read(1000)
        writer.write(answer)
        await writer.drain()
        writer.close()

    async def run():
        server = await asyncio.start_server(serve, "127.0.0.1", port)
        await server.serve_forever()

    asyncio.run(run())


def connect():
    return socket.create_connection(("127.0.0.1", port))


def half_close():
    c = connect()
    c.sendall(request)
    c.shutdown(socket.SHUT_WR)
    while len(c.recv(20)) > 0:
        pass
    c.close()


def pieces():
    c = connect()
    for i in range(0, len(request), 7):
        c.sendall(request[i : i + 7])
    while len(c.recv(20)) > 0:
        pass
    c.close()


def leave():
    connect().close()


def reset():
    c = connect()
    c.sendall(request)
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    c.close()


def unread():
    c = connect()
    c.sendall(request)
    c.recv(5)
    c.close()


def stubborn():
    """writes to an end that has closed."""
    c = connect()
    for _ in range(4):
        c.sendall(request)
    c.close()


modes = {
    "asyncio": asynchronous, "selectors": selecting,
    "flags": lambda: loop(flags), "vectors": lambda: loop(vectors), "options": lambda: loop(options),
    "small": lambda: loop(small), "lowat": lambda: loop(lowat), "dup": lambda: loop(dup),
    "half-close": half_close, "pieces": pieces, "leave": leave, "reset": reset, "unread": unread, "stubborn": stubborn,
}
try:
    modes[mode]()
except OSError as error:
    print(error)
