"""A worker of the text dialect that sends READY and replies, no HEARTBEAT, and ignores DISCONNECT.

At SIGUSR1 it sends READY again on the same socket. It prints every command that it receives.
"""

import json
import signal
import sys

import zmq

TICK_MS = 20
again = False


def main(endpoint, service):
    global again
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGUSR1, request_ready)
    socket = zmq.Context().socket(zmq.DEALER)
    socket.linger = 0
    socket.connect(endpoint)
    ready = [b"", b"MDPW01", b"READY", service.encode()]
    socket.send_multipart(ready)
    log("ready")
    while True:
        if again:
            again = False
            socket.send_multipart(ready)
        if not socket.poll(TICK_MS):
            continue
        _, _, command, *frames = socket.recv_multipart()
        log("received", command=command.decode())
        if command == b"REQUEST":
            socket.send_multipart([b"", b"MDPW01", b"REPLY", *frames])


def request_ready(*_):
    global again
    again = True


def log(event, **fields):
    print(json.dumps({"event": event, **fields}), flush=True)


main(*sys.argv[1:])
