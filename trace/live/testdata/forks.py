# A server and its client in one process. A child writes to each connection when the parent has
# closed its own descriptor: on one processor, mostly before the child has begun to run.
import os, socket

os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
server = socket.create_server(("127.0.0.1", 0))
closed, closes = os.pipe()
for _ in range(40):
    client = socket.create_connection(server.getsockname())
    fd = server.accept()[0].detach()
    child = os.fork()
    if child == 0:
        os.read(closed, 1)
        os.write(fd, b"x")
        os._exit(0)
    os.close(fd)
    os.write(closes, b".")
    os.waitpid(child, 0)
    client.recv(1)
    client.close()
